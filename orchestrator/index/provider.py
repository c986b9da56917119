"""A search index, whichever program it is: what its instance says of it, and the few things that are done to it.

Each provider is one file: how its container is called and kept, what tells that it is healthy, which settings lead the
tasks to it, and a program that counts its documents. Everything else is the same for all, and is here.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any, Generic, TypeVar

from orchestrator.aws.ssm import ScriptFailed
from orchestrator.engine.step import Subject
from orchestrator.engine.subjects import Attempts, both
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.index.report import Contents, IndexReport, Line, line, read
from orchestrator.inside.shell import Shell, Shells, on_each
from orchestrator.redact import sounds_secret
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import IndexServer

I = TypeVar("I", bound=IndexServer)  # noqa: E741 - an index
AT_ONCE = 8
LOOKING = 60
"""Seconds that looking into an instance may take."""
COUNTING = 3600
"""Seconds that reading every document may take."""
MOVING = 300
"""Seconds that stopping or starting may take."""
TOGETHER = 50
"""Instances that one script tells apart: SSM carries 64 KB of it."""
CARRIED = 20_000
"""Characters of its log that SSM is given to carry: of more it would keep the first 24,000, not the last."""
_SHELL = re.compile(r"[$`|;&<>(){}*?]")
_LOOK = """
case "$(cloud-init status 2>/dev/null || true)" in *running*|*"not started"*) booting=true ;; *) booting=false ;; esac
dockerd=true pulled=true
if ! seen=$(docker inspect -f '{"state": "{{.State.Status}}", "exit_code": {{.State.ExitCode}}, \
"started": "{{.State.StartedAt}}", "image": "{{.Config.Image}}", "ports": {{json .HostConfig.PortBindings}}}' \
__CONTAINER__ 2>/dev/null); then
  seen='{"state": "absent"}'
  docker info >/dev/null 2>&1 || dockerd=false
  [ -n "$(docker images -q __IMAGE__ 2>/dev/null)" ] || pulled=false
fi
healthy=false counted="" disk="" trouble=""
__WORDS__
__PROBE__
counted=${counted//$'\n'/} disk=${disk//$'\n'/}
printf '{"dockerd": %s, "booting": %s, "healthy": %s, "pulled": %s, "container": %s, "counted": %s, ' \\
  "$dockerd" "$booting" "$healthy" "$pulled" "$seen" "${counted:-null}"
printf '"disk": %s, "trouble": "%s"}\\n' "${disk:-null}" "$trouble"
"""
_APART = """case "${AWS_SSM_INSTANCE_ID:-}" in
__CASES__
  *) echo "the SSM agent does not say which instance this is (AWS_SSM_INSTANCE_ID): update it" >&2; exit 1 ;;
esac"""


@dataclass(frozen=True, slots=True)
class TaskSetting:
    """What the tasks' variable must say, and what Onyx takes where it is not set."""

    wanted: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What an index that runs says is wrong with it, where another start would not help. `{tenant}` is in the fix."""

    cause: str
    fix: str


@dataclass(frozen=True, slots=True)
class IndexProvider(Generic[I]):
    """One kind of index that is a container on the tenant's own instance.

    `answerer` is what answers once tasks may start. `probe` is a piece of shell that is given the `words` of the
    instance's index (`$1`, …) and what docker says of the container (`$seen`). It sets `healthy` to true where the
    index is, `counted` to what it answers when it is asked for the number of its documents (JSON, or nothing), which
    `documents` reads, `disk` to how full its disk is (percent, or nothing), and `trouble` to a key of `troubles`.
    `counter` is the file of the program that prints how many documents there are; it is given the same words.
    """

    name: str
    """In the contract, in the names of steps and codes, in `orchestrate logs NAME`. The container is called so too."""
    title: str
    image: str
    """The repository of its image."""
    data: str
    """Where in the container the index is."""
    mounted: str
    """Where on the instance a volume for it is mounted, by our own Terraform."""
    answerer: str
    host_variable: str
    port_variable: str
    guide_section: str
    """The section of the troubleshooting guide; empty: beyond the guide."""
    probe: str
    documents: Callable[[Any], int | None]
    counter: str
    words: Callable[[I], Sequence[str]]
    ports: Callable[[I], tuple[int, ...]]
    """What the tasks must reach, the port of queries first."""
    settings: Callable[[I], Mapping[str, TaskSetting]]
    """By variable of the tasks."""
    troubles: Mapping[str, Trouble] = field(default_factory=dict)
    """By the word that `probe` has for each, and their codes end with."""

    def of(self, stack: Stack) -> Mapping[Subject, I]:
        """By tenant, the indexes of this kind."""
        found: Any = {one.tenant: one.server for one in stack.indexes if one.kind == self.name}
        indexes: Mapping[Subject, I] = found
        return indexes

    def look(self, shell: Shells, indexes: Mapping[Subject, I], *, who: str) -> Attempts[IndexReport | None]:
        """One command for all instances (50 of those whose words differ); None: one has not docker's or curl's words.

        What could not be asked, and may be later, is a failure of that instance alone.
        """
        comment = f"orchestrate {who}: look at {self.title} (read-only)"
        seen: Attempts[IndexReport | None] = Attempts()
        for script, instances in self._scripts(indexes.values()):
            places = {tenant: one.instance_id for tenant, one in indexes.items() if one.instance_id in instances}
            said = on_each(shell, places, script, comment=comment, timeout=LOOKING)
            known = {tenant: self._read(output.stdout) for tenant, output in said.results.items()}
            passing = {tenant: error for tenant, error in said.failures.items() if isinstance(error, Transient)}
            unclear = dict.fromkeys(said.failures.keys() - passing.keys())  # nothing is known, nothing is claimed
            seen = both(seen, Attempts({**known, **unclear}, passing))
        return seen

    def _scripts(self, indexes: Iterable[I]) -> Iterator[tuple[str, frozenset[str]]]:
        """Each script, and the instances that it is for."""
        words = {one.instance_id: shlex.join(self.words(one)) for one in indexes}
        places = sorted(words)
        size = TOGETHER if len(set(words.values())) > 1 else max(1, len(places))
        for first in range(0, len(places), size):
            some = places[first : first + size]
            yield self._script({place: words[place] for place in some}), frozenset(some)

    def _script(self, words: Mapping[str, str]) -> str:
        cases = "\n".join(f"  {place}) set -- {said} ;;" for place, said in words.items())
        same = len(set(words.values())) == 1
        given = f"set -- {min(words.values())}" if same else _APART.replace("__CASES__", cases)
        script = _LOOK.replace("__CONTAINER__", self.name).replace("__IMAGE__", self.image)
        return script.replace("__WORDS__", given).replace("__PROBE__", self.probe)

    def _read(self, stdout: str) -> IndexReport | None:
        try:
            return read(stdout.strip().splitlines()[-1], self.documents)
        except (IndexError, ValueError, TypeError, KeyError):
            return None

    def running(self, shell: Shell, index: I) -> bool:
        """Whether the container runs."""
        return bool(self._do(shell, index, "look")["running"])

    def volume(self, shell: Shell, index: I) -> str:
        """The id of the EBS volume that the index is on, as the instance says; empty: it can't tell."""
        return str(self._do(shell, index, "where")["volume"])

    def stop(self, shell: Shell, index: I) -> None:
        """Everything is written down, and nothing more is."""
        self._do(shell, index, "stop")

    def start(self, shell: Shell, index: I) -> None:
        """It works again."""
        self._do(shell, index, "start")

    def contents(self, shell: Shell, index: I, *, whole: bool = False) -> Contents:
        """What it holds; `whole`: every document is read, however many there are.

        Raises `Transient` while it doesn't answer: it has just been started, or nothing is in it.
        """
        program = (self.counter, *self.words(index), *(("--whole",) if whole else ()))
        said = _ask(shell, index, "count", program, COUNTING, before="document_keys.py")
        if said["documents"] is None:
            fix = f"wait until Onyx's api has set it up; see `docker logs {self.name}` on the instance"
            message = f"{self.title} on {index.instance_id} doesn't answer on {index.port} yet"
            raise Transient(Problem("index-not-answering", message, index.instance_id, fix))
        return Contents(said["documents"], said["digest"], said["keys"], tuple(said["sample"]))

    def _do(self, shell: Shell, index: I, mode: str) -> Mapping[str, Any]:
        return _ask(shell, index, mode, ("on_instance.py", mode, self.name, self.data), MOVING)

    def recipe(self, user_data: str) -> tuple[str, ...] | str:
        """The words of the `docker run` in an instance's user_data that makes the container; or why they can't be used.

        They will be readable in SSM's command history, and run without a shell's expansions: so no secret, no variable.
        """
        for text in user_data.replace("\\\n", " ").splitlines():
            if not text.lstrip().startswith("docker run "):
                continue
            try:
                words = tuple(shlex.split(text, comments=True))
            except ValueError:
                continue
            if self.name in _values(words, "--name"):
                return self._trouble(words) or words
        return f"its user_data has no `docker run --name {self.name}`"

    def _trouble(self, words: tuple[str, ...]) -> str:
        if not {"-d", "--detach"} & set(words):
            return "the `docker run` of its user_data does not detach"
        if any(_SHELL.search(word) for word in words):
            return "the `docker run` of its user_data needs a shell's variables"
        if any(sounds_secret(value.partition("=")[0]) for value in (*_values(words, "--env"), *_values(words, "-e"))):
            return "the `docker run` of its user_data holds a secret, which a command must not"
        pinned = rf"[\w./-]*{self.name}[\w./-]*(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{{64}})"
        if not re.fullmatch(pinned, words[-1], re.ASCII):
            return f"the image {words[-1]} of its user_data is not pinned to a version"
        return ""

    def logs(
        self, shell: Shells, indexes: Mapping[Subject, I], since: datetime
    ) -> Mapping[Subject, Sequence[Line] | Problem]:
        """What each tenant's container wrote since then (the last 20,000 characters), or why that can't be told."""
        script = f"docker logs --timestamps --since {shlex.quote(since.isoformat())} {self.name} 2>&1"
        places = {tenant: one.instance_id for tenant, one in indexes.items()}
        comment = f"orchestrate logs: read {self.title}'s log (read-only)"
        said = on_each(shell, places, f"{script} | tail -c {CARRIED}", comment=comment, timeout=LOOKING)

        def told(tenant: Subject) -> Sequence[Line] | Problem:
            if tenant in said.results:
                return [line(text) for text in said.results[tenant].stdout.splitlines()]
            error = said.failures[tenant]
            if not isinstance(error, ScriptFailed):
                return error.problems[0]
            fix = "`orchestrate status` shows its state, `orchestrate doctor --fix` brings it back"
            why = error.output.stdout.strip()[:300] or str(error)
            return Problem(f"{self.name}-log-unreadable", why, places[tenant], fix)

        return {tenant: told(tenant) for tenant in indexes}


_FUTURE = "from __future__ import annotations\n"


def _text(file: str) -> str:
    return resources.files("orchestrator.index").joinpath(file).read_text(encoding="utf-8")


def _values(words: tuple[str, ...], option: str) -> Iterator[str]:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word == option:
            yield following
        elif word.startswith(f"{option}="):
            yield word.partition("=")[2]


def _ask(
    shell: Shell, index: IndexServer, mode: str, program: Sequence[str], timeout: int, *, before: str = ""
) -> Mapping[str, Any]:
    """Run a program of this room on the instance (its file, then its arguments): the JSON object that it prints.

    `before`: a file with what the program uses.
    """
    file, *words = program
    text = _text(file)
    if before:
        text = _text(before) + text.replace(_FUTURE, "")  # which may stand at the beginning of a program alone
    script = f"python3 - {shlex.join(words)} <<'END_OF_PROGRAM'\n{text}\nEND_OF_PROGRAM\n"
    said = shell.run(index.instance_id, script, comment=f"orchestrate: {mode} index", timeout=timeout).stdout
    try:
        return dict(json.loads(said.strip().splitlines()[-1]))
    except (IndexError, ValueError):
        fix = "run the last SSM command of the instance by hand (aws ssm list-commands)"
        raise OrchestratorError(
            Problem("index-answer-unreadable", "no JSON came back", index.instance_id, fix)
        ) from None
