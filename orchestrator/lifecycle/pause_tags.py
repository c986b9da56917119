"""What a pause remembers, as a tag on what it paused: it survives a lost laptop, and resume needs nothing else.

A service's tag says since when and by whom it is paused, how many tasks it had, and how its autoscaling was set. The
DB instance's tag says since when and by whom the whole stack is paused. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from orchestrator.aws.autoscaling import ALL, Scaling, Suspension
from orchestrator.aws.service_counts import Count
from orchestrator.errors import Problem, counted

TAG = "orchestrate:paused"
"""The tag's key. Terraform takes foreign tags away unless its provider is told to ignore the prefix `orchestrate:`."""
FOR_BACKUP = "backup/"
"""Before the user's name, where a backup or a destroy has stopped a service: a backup starts no other again."""
_FOREIGN = re.compile(r"[^A-Za-z0-9_.:/=+@-]")
"""What a tag's value may not hold on ECS and RDS, and spaces, which part our words."""
_LONGEST_NAME = 64
_WORDS = re.compile(
    r"(?P<since>\S+) (?P<by>\S+) desired=(?P<desired>\d+)"
    r"(?: min=(?P<minimum>\d+) max=(?P<maximum>\d+) suspended=(?P<suspended>[a-z/]+))?"
)


@dataclass(frozen=True, slots=True)
class Stamp:
    """Since when (ISO 8601, UTC) and by whom (user@host)."""

    since: str
    by: str

    @classmethod
    def of(cls, now: datetime, user: str, host: str) -> Stamp:
        """Of a pause that begins now; what a tag can't hold becomes `_`."""
        who = _FOREIGN.sub("_", f"{user}@{host}")[:_LONGEST_NAME]
        return cls(now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), who)

    @classmethod
    def parse(cls, tag: str) -> Stamp | None:
        """The first two words of a tag; None: there are none, or the first is no time."""
        since, _, rest = tag.partition(" ")
        by = rest.partition(" ")[0]
        return cls(since, by) if by and _time(since) else None

    @property
    def at(self) -> datetime:
        """When it began."""
        found = _time(self.since)
        assert found is not None  # noqa: S101 - `of` and `parse` have seen to it
        return found

    @property
    def for_backup(self) -> bool:
        """Whether no person paused it."""
        return self.by.startswith(FOR_BACKUP)

    def __str__(self) -> str:
        return f"{self.since} {self.by}"


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None


@dataclass(frozen=True, slots=True)
class PausedService:
    """What a service was before: tasks wanted, and its autoscaling (None: it has none)."""

    stamp: Stamp
    desired: int
    scaling: Scaling | None = None

    @classmethod
    def parse(cls, tag: str) -> PausedService | None:
        """What `str` made; None: something else."""
        found, stamp = _WORDS.fullmatch(tag), Stamp.parse(tag)
        if found is None or stamp is None:
            return None
        if found["minimum"] is None:
            return cls(stamp, int(found["desired"]))
        suspended = Suspension.parse(found["suspended"])
        return cls(stamp, int(found["desired"]), Scaling(int(found["minimum"]), int(found["maximum"]), suspended))

    def __str__(self) -> str:
        text = f"{self.stamp} desired={self.desired}"
        one = self.scaling
        return text if one is None else f"{text} min={one.minimum} max={one.maximum} suspended={one.suspended}"

    @property
    def wanted(self) -> str:
        """In words: what comes back."""
        tasks = counted(self.desired, "task")
        return tasks if self.scaling is None else f"{tasks} (autoscaling {self.scaling.minimum}-{self.scaling.maximum})"


def remembered(known: PausedService | None, desired: int, scaling: Scaling | None, stamp: Stamp) -> PausedService:
    """What must be remembered before the service goes to 0, or while it is there.

    What runs is what is wanted, whatever was remembered before: somebody may have changed it by hand. At 0 the memory
    counts. Autoscaling that is suspended as a whole was, if there is a memory, suspended by a pause.
    """
    was = known.scaling if known else None
    if scaling is not None and scaling.suspended == ALL and was is not None:
        scaling = replace(scaling, suspended=was.suspended)
    if desired == 0 and known is not None:
        return PausedService(known.stamp, known.desired, scaling)
    return PausedService(stamp, desired, scaling)


def coming_back(known: PausedService, scaling: Scaling | None) -> int:
    """How many tasks the service gets back: as remembered, within limits that were set meanwhile. 0 stays 0."""
    was = known.scaling
    unchanged = (
        was is not None and scaling is not None and (was.minimum, was.maximum) == (scaling.minimum, scaling.maximum)
    )
    if scaling is None or unchanged or known.desired == 0:
        return known.desired
    return min(max(known.desired, scaling.minimum), scaling.maximum)


def unreadable(tag: str, arn: str, tenant: str) -> Problem:
    """A tag that no pause wrote."""
    fix = (
        f"set the desired count by hand (aws ecs update-service --desired-count N), "
        f"then aws ecs untag-resource --resource-arn {arn} --tag-keys {TAG}, and run this again"
    )
    return Problem("pause-memory-unreadable", f"the tag {TAG} says {tag!r}: no pause wrote that", tenant, fix)


def untaggable(name: str, count: Count, tenant: str) -> Problem:
    """A service that ECS tags only after its ARN was migrated: nobody but its owner decides that."""
    message = (
        f"{name} has the short ARN of services made before 2021, and ECS gives such a service no tag: how many tasks "
    )
    message += "it had could not be remembered"
    fix = (
        "give it a long ARN (no downtime; can't be undone; policies that name the short one must be changed first): "
        "aws ecs put-account-setting --name serviceLongArnFormat --value enabled, "
        f"then aws ecs tag-resource --resource-arn {count.taggable_arn} "
        f"--tags key=Name,value={name.rpartition('/')[2]}, and run this again"
    )
    return Problem("service-arn-short", message, tenant, fix)
