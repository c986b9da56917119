"""What is seen from inside the stack's network: one look from the runner instance, over SSM.

Redis answers nobody outside, and an internal load balancer has private addresses only: whether they are as they must
be can be tried only from there. A look that can't be made is said to be none (`Unproven`), never taken for a good one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from orchestrator.aws.value_from import parse
from orchestrator.errors import OrchestratorError, Problem, Transient
from orchestrator.inside.shell import Shell
from orchestrator.probe import Probe, Reached
from orchestrator.stack.contract import Redis

SECONDS = 120
"""Seconds that one look may take."""
AT_ONCE = 8
"""Sites that one command visits: their answers must fit into the 24,000 characters that SSM keeps."""


@dataclass(frozen=True, slots=True)
class RedisLogin:
    """What Redis did. `open`: it serves who has no token; `accepted`: it took the secret's; `said`: its words."""

    open: bool
    accepted: bool
    said: str = ""


@dataclass(frozen=True, slots=True)
class Unproven:
    """Nobody could try. `passing`: the runner is not there yet."""

    why: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """One site at one of its addresses."""

    hostname: str
    address: str
    path: str
    port: int = 443


def login(shell: Shell, runner: str, redis: Redis, region: str) -> RedisLogin | Unproven:
    """Sign in to Redis with its secret's token, and try to do without. One command."""
    where = {"host": redis.host, "port": redis.port, "region": region}
    kept = {"asked": _reading(redis.auth_secret_arn or ""), "key": redis.auth_secret_key or ""}
    try:
        said = _ask(shell, runner, {"mode": "login", **where, **kept}, "sign in to Redis")
    except Transient as error:
        return Unproven(error.problems[0].message, passing=True)
    except OrchestratorError as error:
        return Unproven(error.problems[0].message)
    if "unproven" in said:
        return Unproven(str(said["unproven"]))
    return RedisLogin(bool(said["open"]), bool(said["accepted"]), str(said["said"]))


def _reading(value_from: str) -> list[str]:
    """The aws CLI's arguments that read the secret, or the parameter."""
    found = parse(value_from)
    if not found.is_secret:
        return ["ssm", "get-parameter", "--with-decryption", "--name", found.source]
    version = ["--version-stage", found.stage] if found.stage else []
    version += ["--version-id", found.version] if found.version else []
    return ["secretsmanager", "get-secret-value", "--secret-id", found.source, *version]


def visit(shell: Shell, runner: str, visits: Sequence[Visit]) -> list[Probe]:
    """What visitors inside of the network get, in the order of `visits`. A command for each `AT_ONCE`."""
    found: list[Probe] = []
    for start in range(0, len(visits), AT_ONCE):
        some = visits[start : start + AT_ONCE]
        asked = [{"hostname": v.hostname, "address": v.address, "path": v.path, "port": v.port} for v in some]
        said = _ask(shell, runner, {"mode": "visits", "visits": asked}, "visit internal sites")
        found += [_probe(v.address, one, runner) for v, one in zip(some, said["probes"], strict=True)]
    return found


def _probe(address: str, said: dict[str, Any], runner: str) -> Probe:
    told = {name: str(said.get(name, "")) for name in ("detail", "location", "body")}
    return Probe(address, Reached(said["reached"]), int(said.get("status", 0)), seen_from=runner, **told)


def _ask(shell: Shell, runner: str, request: dict[str, Any], what: str) -> dict[str, Any]:
    stdout = shell.run(runner, script(request), comment=f"orchestrate: {what}", timeout=SECONDS).stdout
    try:
        answer: dict[str, Any] = json.loads(stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        fix = "run the last SSM command of the instance by hand (aws ssm list-commands)"
        raise OrchestratorError(Problem("runner-answer-unreadable", "no JSON came back", runner, fix)) from None
    return answer


def script(request: dict[str, Any]) -> str:
    """The bash script for SSM: the program by heredoc, the request as its argument. Nothing in it is secret."""
    program = resources.files(__package__).joinpath("program.py").read_text(encoding="utf-8")
    argument = base64.b64encode(json.dumps(request).encode()).decode()
    return f"python3 - {argument} <<'END_OF_PROGRAM'\n{program}\nEND_OF_PROGRAM\n"
