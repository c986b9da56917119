"""What is done at one stack: a workflow of `orchestrator.workflows`, for a caller who is no person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator import workflows
from orchestrator.engine.check import Severity
from orchestrator.errors import Outcome
from orchestrator.events import Event, FindingReported, RunFinished, StepFailed
from orchestrator.fleet.file import VARIABLE, FleetStack
from orchestrator.fleet.orders import StackResult
from orchestrator.workflows import Caller, Cancellation, Emit, StackRef

PATIENCE = 300.0
"""Seconds that a stack's lock is waited for: whoever died with it holds it for a minute more (engine/s3_lock.py)."""
MOST = 20
"""Problems of a stack that are kept."""

Verb = Callable[[StackRef, Emit, Caller], Outcome]

VERBS: Mapping[str, Verb] = {
    "run": lambda ref, emit, caller: workflows.run(ref, emit=emit, caller=caller),
    "plan": lambda ref, emit, caller: workflows.plan(ref, emit=emit, caller=caller),
    "status": lambda ref, emit, caller: workflows.status(ref, emit=emit, caller=caller),
    "doctor": lambda ref, emit, caller: workflows.doctor(ref, emit=emit, caller=caller),
    "pause": lambda ref, emit, caller: workflows.pause(
        ref, workflows.PauseOptions(approved=True), emit=emit, caller=caller
    ),
    "resume": lambda ref, emit, caller: workflows.resume(ref, emit=emit, caller=caller),
    "backup": lambda ref, emit, caller: workflows.backup(ref, emit=emit, caller=caller),
}
"""What a fleet can be asked for. Each looks before it acts, so one that was cut off is simply done again."""
CHANGING = frozenset({"run", "pause", "resume", "backup"})
"""Those that change something."""


@dataclass
class _Heard:
    """What a workflow told."""

    finished: RunFinished = field(default_factory=RunFinished)
    problems: list[Mapping[str, str]] = field(default_factory=list)

    def take(self, event: Event) -> None:
        """Events come without secrets."""
        if isinstance(event, RunFinished):
            self.finished = event
        elif _is_a_problem(event) and len(self.problems) < MOST:
            said = {name: str(getattr(event, name)) for name in ("step", "subject", "code", "detail", "fix")}
            self.problems.append(said)


def _is_a_problem(event: Event) -> bool:
    """What failed, or what the doctor found to be the root of something that keeps a site from working."""
    blocks = isinstance(event, FindingReported) and event.severity == Severity.BLOCKER.value and not event.root
    return blocks or isinstance(event, StepFailed)


def reference(stack: FleetStack, environment: Mapping[str, str], **settings: object) -> StackRef:
    """The stack, as a workflow is given it."""
    if stack.profile:
        settings["profile"] = stack.profile
    contract = str(stack.contract) if stack.contract else None
    own = {name: value for name, value in environment.items() if name != VARIABLE}  # it may hold a password
    return StackRef(stack.directory, {**own, **stack.environment}, settings, contract)


def do(
    verb: str,
    stack: FleetStack,
    environment: Mapping[str, str],
    *,
    worker: str,
    order: str,
    cancellation: Cancellation,
) -> StackResult:
    """Do it. An error is a result as well; `INTERRUPTED` when the cancellation asked for it."""
    ref = reference(stack, environment, lock_timeout=PATIENCE, reason=f"fleet order {order}")
    heard = _Heard()
    caller = Caller(cancellation=cancellation, words=("fleet", verb))
    outcome = VERBS[verb](ref, heard.take, caller)
    ended = heard.finished
    problems = tuple(heard.problems) if outcome not in (Outcome.SUCCEEDED, Outcome.PENDING) else ()
    return StackResult(stack.name, outcome.word, ended.changed, ended.seconds, ended.aws_calls, worker, problems)
