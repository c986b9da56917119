"""Vespa from inside its instance, for the step and the check: one script over SSM that reads, and its answer.

`:8081` answers only once the api has deployed its application package, so it proves nothing about a fresh Vespa: what
counts as healthy is the config server.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.aws.ssm import ScriptFailed
from orchestrator.engine.subjects import Attempts, attempt
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.inside.shell import Shell
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
printf '{"dockerd": %s, "booting": %s, "healthy": %s, "pulled": %s, "container": %s}\\n' \\
  "$dockerd" "$booting" "$healthy" "$pulled" "$seen"
"""
_PINNED = re.compile(r"[\w./-]*vespa[\w./-]*(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})", re.ASCII)
_SHELL = re.compile(r"[$`|;&<>(){}*?]")


@dataclass(frozen=True, slots=True)
class VespaReport:
    """What an instance says of its Vespa. `state` is docker's word; absent: no such container.

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


def look(shell: Shell, vespas: Mapping[str, Vespa], *, who: str) -> Attempts[VespaReport | None]:
    """One command an instance, all at the same time; None: it has not docker's or curl's usual words.

    What could not be asked, and may be later, is a failure of that instance alone.
    """
    return attempt(vespas, lambda tenant: _look(shell, vespas[tenant], who), at_once=AT_ONCE)


def _look(shell: Shell, vespa: Vespa, who: str) -> VespaReport | None:
    script = _SCRIPT.replace("__PORT__", str(vespa.config_port))
    comment = f"orchestrate {who}: look at Vespa (read-only)"
    try:
        output = shell.run(vespa.instance_id, script, comment=comment, timeout=SECONDS)
        return read(output.stdout.strip().splitlines()[-1])
    except Transient:
        raise
    except (OrchestratorError, IndexError, ValueError, TypeError, KeyError):
        return None  # nothing is known, nothing is claimed


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
    )


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


def logs(shell: Shell, vespas: Mapping[str, Vespa], since: datetime) -> Mapping[str, Sequence[Line] | Problem]:
    """What each tenant's container wrote since then (the last 20,000 characters), or why that can't be told."""

    def read_one(vespa: Vespa) -> Sequence[Line] | Problem:
        script = (
            f"docker logs --timestamps --since {shlex.quote(since.isoformat())} {CONTAINER} 2>&1 | tail -c {CARRIED}"
        )
        comment = "orchestrate logs: read Vespa's log (read-only)"
        try:
            said = str(shell.run(vespa.instance_id, script, comment=comment, timeout=SECONDS).stdout)
        except ScriptFailed as error:
            fix = "`orchestrate status` shows its state, `orchestrate doctor --fix` brings it back"
            return Problem(
                "vespa-log-unreadable", error.output.stdout.strip()[:300] or str(error), vespa.instance_id, fix
            )
        except OrchestratorError as error:
            return error.problems[0]
        return [_line(line) for line in said.splitlines()]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(vespas, pool.map(read_one, vespas.values()), strict=True))


def _line(text: str) -> Line:
    stamp, _, rest = text.partition(" ")
    try:
        return datetime.fromisoformat(stamp).isoformat(timespec="milliseconds"), rest
    except ValueError:
        return "", text
