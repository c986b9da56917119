"""What happens during a run, as a closed union of frozen values. Terminal, JSON lines, journal: each is just an `Emit`.

The JSON form (`as_json`) is a public contract: version `SCHEMA`, documented in docs/reference/events.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    name: ClassVar[str]
    step: str = ""
    subject: str = ""
    detail: str = ""
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Event):
    """A command began its work on a stack. `stack`, `command` and `version` say which."""

    name = "run-started"
    stack: str = ""
    command: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepStarted(_Event):
    """A step makes its first observation."""

    name = "step-started"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepWaiting(_Event):
    """Something is not there yet; `until` is when we stop waiting (ISO 8601)."""

    name = "step-waiting"
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone(_Event):
    """Observed to be true for this subject; `changed` counts the changes made for it."""

    name = "step-done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(_Event):
    """It will not become true: `code`, `fix`, `context` and `outcome` say why."""

    name = "step-failed"
    code: str = ""
    fix: str = ""
    context: str = ""
    outcome: str = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReported(_Event):
    """Something worth knowing that stops nothing (an orphaned database, a planned change); what the doctor found.

    The doctor's have more: `severity` (`blocker`, `warning`, `info`), `check`, `cause`, `evidence` (exact values),
    `guide` (the guide's section), `page` (of the check, in docs/reference), and `root`, the code of the root cause this
    is a consequence of (empty: it is one).
    """

    name = "finding-reported"
    code: str = ""
    fix: str = ""
    severity: str = ""
    check: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = ()
    guide: str = ""
    page: str = ""
    root: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Event):
    """The last event of a run. `outcome` is a word of `errors.Outcome`."""

    name = "run-finished"
    outcome: str = "succeeded"
    seconds: float = 0.0
    aws_calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeIntended(_Event):
    """For the journal only: a change is about to be made. Recorded on disk before anything is sent."""

    name = "change-intended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMade(_Event):
    """For the journal only: how the change ended. Without it, nobody knows: look, as the next run does."""

    name = "change-made"
    outcome: str = "succeeded"


Event = RunStarted | StepStarted | StepWaiting | StepDone | StepFailed | FindingReported | RunFinished
Recorded = Event | ChangeIntended | ChangeMade
"""What the journal records."""
Emit = Callable[[Event], None]


def as_json(event: Recorded, at: datetime) -> dict[str, Any]:
    """Give the public form of an event: `schema`, `time` (UTC, ISO 8601), `event`, then its fields."""
    return {"schema": SCHEMA, "time": at.isoformat(timespec="milliseconds"), "event": event.name, **asdict(event)}
