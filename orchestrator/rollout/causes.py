"""The vocabulary of diagnosis: what made a task stop, and what can cure it."""

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
    """A named cause. `code` is stable; `evidence` is the text it was recognised by."""

    code: str
    message: str
    fix: str
    repaired_by: RepairedBy
    evidence: str = ""


NO_FAILURE = frozenset({"spot-interruption", "host-taken-away"})
"""Causes by which AWS takes a task away that was well: ECS starts another one, and nobody has to do anything."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A task that stopped although nobody asked it to, and the last log lines of its containers that failed.

    `environment` are the plain variables of its task definition: whom a line speaks of is looked up there.
    """

    task: Task
    log: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
