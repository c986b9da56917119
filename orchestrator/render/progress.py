"""What is under way, of all that was said so far: Terraform's resources, and each step with its tenants. Pure.

Times are arguments: `Progress.take` is told when an event came, and whoever draws says what time it is now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.events import (
    Event,
    ResourceProgress,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepStarted,
    StepWaiting,
)

TERRAFORM = "terraform"
WORKING, WAITING, DONE, FAILED = "working", "waiting", "done", "failed"
ENDED = frozenset({DONE, FAILED})


@dataclass(slots=True)
class SubjectProgress:
    """A tenant in a step, or (without a name) what all share."""

    name: str
    state: str
    detail: str
    since: datetime
    """When it was first heard of in this step."""
    until: datetime | None = None
    """When the step gives up waiting for it."""


@dataclass(slots=True)
class StepProgress:
    """A step that began. `ended` is when the last of its subjects did."""

    step: str
    began: datetime
    subjects: dict[str, SubjectProgress] = field(default_factory=dict)
    ended: datetime | None = None

    @property
    def state(self) -> str:
        """Failed if it is for anybody, done when it is for all that were heard of."""
        states = {one.state for one in self.subjects.values()}
        if states <= ENDED and states:
            return FAILED if FAILED in states else DONE
        return WORKING

    @property
    def named(self) -> Mapping[str, SubjectProgress]:
        """Its tenants."""
        return {name: one for name, one in self.subjects.items() if name}

    @property
    def shared(self) -> SubjectProgress | None:
        """What it says of all."""
        return self.subjects.get("")


@dataclass(frozen=True, slots=True)
class ResourceUnderWay:
    """A resource that Terraform is changing. `action` is Terraform's word."""

    address: str
    action: str
    since: datetime


@dataclass(slots=True)
class Progress:
    """The whole run."""

    command: str
    began: datetime
    usual: Mapping[str, float] = field(default_factory=dict)
    """Step → seconds that it took in earlier runs."""
    stack: str = ""
    steps: dict[str, StepProgress] = field(default_factory=dict)
    resources: dict[str, ResourceUnderWay] = field(default_factory=dict)
    resources_done: int = 0
    resources_total: int = 0
    finished: bool = False

    def take(self, event: Event, at: datetime) -> None:
        """What this event, which came at that time, adds."""
        match event:
            case RunStarted(stack=stack):
                self.stack = stack
            case RunFinished():
                self.finished = True
            case ResourceProgress():
                self._resource(event, at)
            case StepStarted(step=step):
                self.steps[step] = StepProgress(step, at)
            case StepWaiting(until=until):
                self._subject(event, WAITING, at, _time(until))
            case StepDone():
                self._subject(event, DONE, at)
            case StepFailed():
                self._subject(event, FAILED, at)

    def left(self, step: StepProgress, now: datetime) -> float | None:
        """Seconds until it usually has ended; None: earlier runs don't tell, or it takes longer than they did."""
        usual = self.usual.get(step.step)
        left = usual - (now - step.began).total_seconds() if usual is not None else 0.0
        return left if left > 0 else None

    def _resource(self, event: ResourceProgress, at: datetime) -> None:
        self.resources_done, self.resources_total = event.done, event.total
        if event.state == "started":
            self.resources[event.address] = ResourceUnderWay(event.address, event.action, at)
        else:
            self.resources.pop(event.address, None)

    def _subject(self, event: Event, state: str, at: datetime, until: datetime | None = None) -> None:
        step = self.steps.setdefault(event.step, StepProgress(event.step, at))
        known = step.subjects.get(event.subject)
        since = known.since if known else at
        step.subjects[event.subject] = SubjectProgress(event.subject, state, event.detail, since, until)
        step.ended = at if step.state in ENDED else None
        if event.step == TERRAFORM and state in ENDED:
            self.resources.clear()

    def open_first(self, step: StepProgress) -> Iterator[SubjectProgress]:
        """Its tenants that have not come through: what failed, then who has waited longest."""
        order = {FAILED: 0, WAITING: 1, WORKING: 2}
        open_ = [one for one in step.named.values() if one.state != DONE]
        yield from sorted(open_, key=lambda one: (order[one.state], one.since, one.name))


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None
