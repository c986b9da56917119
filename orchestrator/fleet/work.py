"""What is done at one stack: a workflow of `orchestrator.workflows`, for a caller who is no person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from orchestrator import workflows
from orchestrator.engine.check import Severity
from orchestrator.engine.clock import SystemClock
from orchestrator.errors import Outcome
from orchestrator.events import Event, FindingReported, PartObserved, RunFinished, StepFailed
from orchestrator.fleet.file import VARIABLE, FleetStack
from orchestrator.fleet.orders import WATCH, StackResult
from orchestrator.fleet.schedules import KEEP_PAUSED
from orchestrator.fleet.watching import NOT_UP
from orchestrator.render import board
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


def _kept_paused(ref: StackRef, emit: Emit, caller: Caller) -> Outcome:
    return workflows.pause(ref, workflows.PauseOptions(keep_paused=True), emit=emit, caller=caller)


def _looked_at(ref: StackRef, emit: Emit, caller: Caller) -> Outcome:
    """Whether it is up; if it isn't, the doctor is asked why."""
    seen = workflows.status(ref, emit=emit, caller=caller)
    if seen not in (Outcome.PENDING, Outcome.FAILED):
        return seen
    found = workflows.doctor(ref, emit=emit, caller=caller)
    return seen if found is Outcome.SUCCEEDED else found


_INNER: Mapping[str, Verb] = {KEEP_PAUSED: _kept_paused, WATCH: _looked_at}
"""What the calendar and the watch ask for."""


@dataclass
class _Collected:
    """What one workflow told, or two that followed each other."""

    changed: int = 0
    calls: int = 0
    saving: float = 0.0
    problems: list[Mapping[str, str]] = field(default_factory=list)
    parts: dict[str, PartObserved] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Events come without secrets."""
        if isinstance(event, RunFinished):
            self.changed += event.changed
            self.calls += event.aws_calls
        elif isinstance(event, PartObserved):
            self.parts[f"{event.part} {event.subject}"] = event
        elif isinstance(event, FindingReported) and event.saves:
            self.saving = float(event.saves)
        elif _is_a_problem(event) and len(self.problems) < MOST:
            said = {name: str(getattr(event, name)) for name in ("step", "subject", "code", "detail", "fix")}
            cause = getattr(event, "cause", "")
            self.problems.append({**said, "detail": f"{said['detail']} ({cause})" if cause else said["detail"]})

    def not_up(self) -> tuple[Mapping[str, str], ...]:
        """The parts that were not up when they were looked at, where no cause is known."""
        return tuple(
            {
                "step": one.part,
                "subject": one.subject,
                "code": NOT_UP,
                "detail": one.detail,
                "fix": "`orchestrate status` shows it; `orchestrate run` does what is to be done",
            }
            for one in self.parts.values()
            if one.state not in (board.UP, board.UNKNOWN)
        )[:MOST]


def _is_a_problem(event: Event) -> bool:
    """What failed, or what the doctor found to be the root of something that keeps a site from working."""
    blocks = isinstance(event, FindingReported) and event.severity == Severity.BLOCKER.value and not event.root
    return blocks or isinstance(event, StepFailed)


def reference(stack: FleetStack, environment: Mapping[str, str], **settings: object) -> StackRef:
    """The stack, as a workflow is given it; its folder is created where it has none."""
    settings |= {name: value for name, value in (("profile", stack.profile), ("role", stack.role)) if value}
    stack.directory.mkdir(parents=True, exist_ok=True)
    own = {name: value for name, value in environment.items() if name != VARIABLE}  # it may hold a password
    return StackRef(stack.directory, {**own, **stack.environment}, settings, stack.contract)


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
    heard, clock = _Collected(), SystemClock()
    began = clock.monotonic()
    caller = Caller(cancellation=cancellation, words=("fleet", verb))
    act = VERBS.get(verb) or _INNER[verb]
    outcome = act(ref, heard.take, caller)
    problems: tuple[Mapping[str, str], ...] = ()
    if outcome not in (Outcome.SUCCEEDED, Outcome.PENDING):
        problems = tuple(heard.problems)
    elif outcome is Outcome.PENDING and verb == WATCH:
        problems = heard.not_up()
    return StackResult(
        stack.name,
        outcome.word,
        heard.changed,
        round(clock.monotonic() - began, 3),
        heard.calls,
        worker,
        problems,
        ended=clock.now().timestamp(),
        saving=heard.saving if outcome is Outcome.SUCCEEDED else 0.0,
    )
