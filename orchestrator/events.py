"""What happens during a run, as a closed union of frozen values. Terminal, JSON lines, journal: each is just an `Emit`.

The JSON form (`as_json`) is a public contract: version `SCHEMA`, documented in docs/reference/events.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, ClassVar

SCHEMA = 1
UNKNOWN = "unknown"
"""How a change ended, when no answer came that tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Event:
    name: ClassVar[str]
    step: str = ""
    subject: str = ""
    detail: str = ""
    changed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(_Event):
    """A command has started on a stack. `stack`, `command` and `version` say which."""

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
    """Something is not there yet; `until` is when the step stops waiting (ISO 8601)."""

    name = "step-waiting"
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceProgress(_Event):
    """Terraform started or finished a change to the resource at `address`; not in the records of runs.

    `state` is `started`, `done` or `failed`, `action` Terraform's word (`create`, `update`, `delete`); `done` of the
    `total` changes of the plan are made (a replacement is two).
    """

    name = "resource-progress"
    address: str = ""
    action: str = ""
    state: str = ""
    done: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone(_Event):
    """Observed to be true for this subject; `changed` counts the changes made for it."""

    name = "step-done"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFailed(_Event):
    """It will not become true for this subject: `code`, `context` and `outcome` say why, `fix` what to do."""

    name = "step-failed"
    code: str = ""
    fix: str = ""
    context: str = ""
    outcome: str = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingReported(_Event):
    """Something worth knowing that stops nothing: a planned change, an orphaned database, what the doctor found.

    The doctor's findings have more: `severity` (`blocker`, `warning`, `info`), `check`, `cause`, `evidence` (exact
    values), `guide` (the guide's section), `page` (of the check, in this documentation), `repair` (the step by which
    `doctor --fix` repairs it; empty: it doesn't), and `root`, the code of the root cause behind it (empty: it is a root
    cause itself).

    A plan's consequences say their `effect` (`loss`, `outage`, `disturbance`, `restart`, `work`), the Terraform
    `address`, and `loss`, the name that `--allow-loss` takes. What preflight found has the `status` of its line
    (`failed`, `unknown`, `manual`), the `address`, its `place` (file:line), the `current` and the `wanted` value, and
    the `hcl` to write. A pause's cost estimate has what it `saves`, in dollars a month.
    """

    name = "finding-reported"
    code: str = ""
    fix: str = ""
    severity: str = ""
    check: str = ""
    cause: str = ""
    evidence: tuple[str, ...] = ()
    guide: str = ""
    root: str = ""
    page: str = ""
    repair: str = ""
    effect: str = ""
    loss: str = ""
    status: str = ""
    address: str = ""
    place: str = ""
    saves: str = ""
    current: str = ""
    wanted: str = ""
    hcl: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartObserved(_Event):
    """What `status` sees of one part: `database`, `redis`, `load-balancer`, `tenant`, or `stack` for a note about all.

    `state` is `up`, `pending`, `failed` or `unknown`. A tenant has more: tasks `running` of `desired`, targets
    `healthy` of `targets` (0 of 0 where the tenant is up: not asked for), its `vespa` and `opensearch` (`up`,
    `starting`, or the word of Docker or EC2), `dns` (`ok`, `stale`, `missing`) and `site` (the HTTP status,
    `unreachable`, `tls-invalid`); empty: not known, or there is none.
    """

    name = "part-observed"
    part: str = ""
    state: str = ""
    running: int = 0
    desired: int = 0
    healthy: int = 0
    targets: int = 0
    vespa: str = ""
    opensearch: str = ""
    dns: str = ""
    site: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerObserved:
    """A container of a task; `exit_code` is null while it runs, or when it never started."""

    container: str
    status: str = ""
    exit_code: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskObserved(_Event):
    """A task that `tasks` sees: running, or stopped within about an hour. Times are ISO 8601.

    `containers` have `container`, `status`, `exit_code` (or null) and `reason`. `code` and `fix` are the cause of a
    task that stopped although nobody asked it to; `deployment` is the rollout it belongs to.
    """

    name = "task-observed"
    task: str = ""
    status: str = ""
    deployment: str = ""
    created: str = ""
    stopped: str = ""
    stop_code: str = ""
    reason: str = ""
    containers: tuple[ContainerObserved, ...] = ()
    code: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine(_Event):
    """A line that `logs` read: `detail` is what the container wrote, `at` when (ISO 8601), `task` its id."""

    name = "log-line"
    at: str = ""
    container: str = ""
    task: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(_Event):
    """The last event of a run: its `outcome` (a word of the exit statuses), how long it took, how many calls to AWS."""

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
    """For the journal only: how the change ended for its subject.

    `outcome` is a word of the exit statuses (`succeeded`: AWS accepted it), or `unknown`: no answer came. Then, and
    where this event is missing, only the next observation can tell.
    """

    name = "change-made"
    outcome: str = "succeeded"


Event = (
    RunStarted
    | StepStarted
    | StepWaiting
    | ResourceProgress
    | StepDone
    | StepFailed
    | FindingReported
    | PartObserved
    | TaskObserved
    | LogLine
    | RunFinished
)
Recorded = Event | ChangeIntended | ChangeMade
"""What the journal records."""
Emit = Callable[[Event], None]


def as_json(event: Recorded, at: datetime) -> dict[str, Any]:
    """Give the public form of an event: `schema`, `time` (UTC, ISO 8601), `event`, then its fields."""
    return {"schema": SCHEMA, "time": at.isoformat(timespec="milliseconds"), "event": event.name, **asdict(event)}
