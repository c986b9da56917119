"""A program of the user's, run for one stack: in its folder, with its profile or role and its variables.

What it prints may be a secret, so it is kept in a file that only the worker's user can read, never in the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.aws import child
from orchestrator.engine.clock import SystemClock
from orchestrator.errors import OrchestratorError, Outcome, Problem
from orchestrator.fleet.file import FleetStack
from orchestrator.fleet.orders import StackResult, refused
from orchestrator.fleet.work import reference
from orchestrator.terraform.process import ProcessEnd, follow
from orchestrator.workflows import Cancellation

EXEC = "exec"
"""The verb."""
FOLDER = ".orchestrate/exec"
"""In the stack's folder."""


def execute(
    arguments: Sequence[str],
    stack: FleetStack,
    environment: Mapping[str, str],
    *,
    worker: str,
    order: str,
    cancellation: Cancellation,
) -> StackResult:
    """Run it to its end. A status that isn't 0 is a failure; `INTERRUPTED` when the cancellation asked for it."""
    clock = SystemClock()
    began = clock.monotonic()
    folder = reference(stack, environment).directory / FOLDER
    file = folder / f"{order}-{stack.name}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("w", encoding="utf-8") as log:

            def heard(line: str) -> None:
                log.write(f"{line}\n")

            ended = follow(
                arguments,
                directory=stack.directory,
                environment=_environment(stack, environment),
                on_line=heard,
                interrupts=lambda: cancellation.requests,
            )
            log.write(ended.complaint)
    except OrchestratorError as error:
        return refused(stack.name, error.problems[0], error.outcome)
    except OSError as error:
        fix = "install it on every worker, or give its whole path"
        problem = Problem("command-not-started", f"{arguments[0]}: {error.strerror}", "", fix)
        return refused(stack.name, problem, Outcome.FAILED)
    problems = (_failure(arguments[0], ended.status, str(file)),) if ended.status else ()
    return StackResult(
        stack.name,
        _outcome(ended).word,
        seconds=round(clock.monotonic() - began, 3),
        worker=worker,
        problems=problems,
        output=str(file),
        ended=clock.now().timestamp(),
    )


def _environment(stack: FleetStack, environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the program sees: the stack's variables, and the identity that the stack is reached with."""
    own = child.environment_of(reference(stack, environment).environment, stack.profile)
    if stack.role is None:
        return own
    from orchestrator.aws.access import Access

    return Access(own, stack.profile, role=stack.role).signed(own)


def _outcome(ended: ProcessEnd) -> Outcome:
    if ended.interrupted:
        return Outcome.INTERRUPTED
    return Outcome.FAILED if ended.status else Outcome.SUCCEEDED


def _failure(program: str, status: int, file: str) -> Mapping[str, str]:
    detail = f"{program} ended with status {status}"
    fix = f"its output is in {file}, on the worker"
    return {"step": EXEC, "subject": "", "code": "command-failed", "detail": detail, "fix": fix}
