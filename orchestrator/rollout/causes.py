"""The vocabulary of diagnosis: what made a task stop, and what repairs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.aws.ecs import Task


class RepairedBy(Enum):
    """What can make the same task definition work the next time."""

    WORKFLOW = "a step of this workflow repairs it; a new deployment then works"
    OUTSIDE = "somebody must repair something outside the task definition"
    TASK_DEFINITION = "the task definition must change; starting it again would repeat it"
    TIME = "it may pass by itself"


@dataclass(frozen=True, slots=True)
class Cause:
    """A named cause. `code` is stable; `evidence` is the text that it was recognized by."""

    code: str
    message: str
    fix: str
    repaired_by: RepairedBy
    evidence: str = ""


NO_FAILURE = frozenset({"spot-interruption", "host-taken-away"})
"""Causes for which AWS takes away a healthy task: ECS starts another one, and nothing needs to be done."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that stopped although nobody asked it to, and the last log lines of its containers that failed.

    `environment` are the plain variables of its task definition: whom a line speaks of is looked up there.
    """

    task: Task
    log: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
