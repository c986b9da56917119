"""Vespa from inside its instance, for the step and the check: one script over SSM that reads, and its answer.

`:8081` answers only once the api has deployed its application package, so it proves nothing about a fresh Vespa: what
counts as healthy is the config server.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.aws.ssm import ScriptFailed
from orchestrator.engine.subjects import Attempts, both
from orchestrator.errors import Problem, Transient
from orchestrator.inside.shell import Shells, on_each
from orchestrator.redact import sounds_secret
from orchestrator.stack.contract import Vespa

CONTAINER = "vespa"
AT_ONCE = 8
SECONDS = 60
CARRIED = 20_000
"""Characters of its log that SSM is given to carry: of more it would keep the first 24,000, not the last."""
Line = tuple[str, str]
"""When (ISO 8601; empty: unknown) and what the container wrote."""
_SCRIPT = """
case "$(cloud-init status 2>/dev/null || true)" in *running*|*"not started"*) booting=true ;; *) booting=false ;; esac
docker info >/dev/null 2>&1 && dockerd=true || dockerd=false
seen=$(docker inspect -f '{"state": "{{.State.Status}}", "exit_code": {{.State.ExitCode}}, \
"started": "{{.State.StartedAt}}", "image": "{{.Config.Image}}", "ports": {{json .HostConfig.PortBindings}}}' \
vespa 2>/dev/null || echo '{"state": "absent"}')
[ -n "$(docker images -q vespaengine/vespa 2>/dev/null)" ] && pulled=true || pulled=false
curl -sf -m 5 -o /dev/null http://localhost:__PORT__/state/v1/health && healthy=true || healthy=false
counted=$(curl -sf -m 10 '__COUNT__' || true)
counted=${counted//$'\n'/}
printf '{"dockerd": %s, "booting": %s, "healthy": %s, "pulled": %s, "container": %s, "counted": %s}\\n' \\
  "$dockerd" "$booting" "$healthy" "$pulled" "$seen" "${counted:-null}"
"""
_COUNT = "http://localhost:{port}/search/?yql=select%20*%20from%20sources%20*%20where%20true&hits=0"
"""Asks for the number of all documents, and for none of them."""
_PINNED = re.compile(r"[\w./-]*vespa[\w./-]*(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})", re.ASCII)
_SHELL = re.compile(r"[$`|;&<>(){}*?]")


@dataclass(frozen=True, slots=True)
class VespaReport:
    """What an instance says of its Vespa. `state` is docker's word; absent: no such container.

    `documents` is how many its index holds; None: it does not say, as when nothing is deployed to it yet.
    `booting`: user_data is still at work. `pulled`: docker has an image to make a container from. `ports` are those the
    container publishes on its instance; none: unknown.
    """

    dockerd: bool = True
    state: str = "running"
    exit_code: int = 0
    healthy: bool = True
    booting: bool = False
    pulled: bool = True
    started: datetime | None = None
    image: str = ""
    ports: tuple[int, ...] = ()
    documents: int | None = None


def look(shell: Shells, vespas: Mapping[str, Vespa], *, who: str) -> Attempts[VespaReport | None]:
    """One command for all instances; None: one has not docker's or curl's usual words.

    What could not be asked, and may be later, is a failure of that instance alone.
    """
    comment = f"orchestrate {who}: look at Vespa (read-only)"
    seen: Attempts[VespaReport | None] = Attempts()
    scripts = {tenant: _script(one) for tenant, one in vespas.items()}
    for script in sorted(set(scripts.values())):
        places = {tenant: one.instance_id for tenant, one in vespas.items() if scripts[tenant] == script}
        said = on_each(shell, places, script, comment=comment, timeout=SECONDS)
        known = {tenant: _read(output.stdout) for tenant, output in said.results.items()}
        passing = {tenant: error for tenant, error in said.failures.items() if isinstance(error, Transient)}
        unclear = dict.fromkeys(said.failures.keys() - passing.keys())  # nothing is known, nothing is claimed
        seen = both(seen, Attempts({**known, **unclear}, passing))
    return seen


def _script(vespa: Vespa) -> str:
    return _SCRIPT.replace("__PORT__", str(vespa.config_port)).replace("__COUNT__", _COUNT.format(port=vespa.port))


def _read(stdout: str) -> VespaReport | None:
    try:
        return read(stdout.strip().splitlines()[-1])
    except (IndexError, ValueError, TypeError, KeyError):
        return None


def read(line: str) -> VespaReport:
    """The script's last line. Raises ValueError, KeyError or TypeError when it is not what the script prints."""
    said = json.loads(line)
    container = said["container"]
    started = datetime.fromisoformat(container["started"]) if container.get("started") else None
    return VespaReport(
        dockerd=said["dockerd"],
        booting=said["booting"],
        healthy=said["healthy"],
        pulled=said["pulled"],
        state=container["state"],
        exit_code=container.get("exit_code", 0),
        started=started,
        image=container.get("image", ""),
        ports=tuple(sorted(_published(container.get("ports") or {}))),
        documents=_documents(said.get("counted")),
    )


def _documents(counted: Any) -> int | None:
    root = counted.get("root") if isinstance(counted, dict) else None
    number = root.get("fields", {}).get("totalCount") if isinstance(root, dict) and "errors" not in root else None
    return number if isinstance(number, int) else None


def _published(bindings: Mapping[str, Any]) -> Iterator[int]:
    for places in bindings.values():
        yield from (int(place["HostPort"]) for place in places or () if place.get("HostPort"))


def recipe(user_data: str) -> tuple[str, ...] | str:
    """The words of the `docker run` in an instance's user_data that makes the container; or why they can't be used.

    They will be readable in SSM's command history, and run without a shell's expansions: so no secret, and no variable.
    """
    for line in user_data.replace("\\\n", " ").splitlines():
        if not line.lstrip().startswith("docker run "):
            continue
        try:
            words = tuple(shlex.split(line, comments=True))
        except ValueError:
            continue
        if CONTAINER in _values(words, "--name"):
            return _trouble(words) or words
    return f"its user_data has no `docker run --name {CONTAINER}`"


def _trouble(words: tuple[str, ...]) -> str:
    if not {"-d", "--detach"} & set(words):
        return "the `docker run` of its user_data does not detach"
    if any(_SHELL.search(word) for word in words):
        return "the `docker run` of its user_data needs a shell's variables"
    if any(sounds_secret(value.partition("=")[0]) for value in (*_values(words, "--env"), *_values(words, "-e"))):
        return "the `docker run` of its user_data holds a secret, which a command must not"
    if not _PINNED.fullmatch(words[-1]):
        return f"the image {words[-1]} of its user_data is not pinned to a version"
    return ""


def _values(words: tuple[str, ...], option: str) -> Iterator[str]:
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word == option:
            yield following
        elif word.startswith(f"{option}="):
            yield word.partition("=")[2]


def logs(shell: Shells, vespas: Mapping[str, Vespa], since: datetime) -> Mapping[str, Sequence[Line] | Problem]:
    """What each tenant's container wrote since then (the last 20,000 characters), or why that can't be told."""
    script = f"docker logs --timestamps --since {shlex.quote(since.isoformat())} {CONTAINER} 2>&1 | tail -c {CARRIED}"
    places = {tenant: one.instance_id for tenant, one in vespas.items()}
    said = on_each(shell, places, script, comment="orchestrate logs: read Vespa's log (read-only)", timeout=SECONDS)

    def told(tenant: str) -> Sequence[Line] | Problem:
        if tenant in said.results:
            return [_line(line) for line in said.results[tenant].stdout.splitlines()]
        error = said.failures[tenant]
        if not isinstance(error, ScriptFailed):
            return error.problems[0]
        fix = "`orchestrate status` shows its state, `orchestrate doctor --fix` brings it back"
        why = error.output.stdout.strip()[:300] or str(error)
        return Problem("vespa-log-unreadable", why, places[tenant], fix)

    return {tenant: told(tenant) for tenant in vespas}


def _line(text: str) -> Line:
    stamp, _, rest = text.partition(" ")
    try:
        return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds"), rest
    except ValueError:
        return "", text
