"""The guide's checklists, and what they forgot, judged on a plan before it is applied or on a state with what is live.

Where the doctor has the same rule, the point is in the check's file: one judgement, which is given facts from Terraform
or from AWS. Any other point is an `Item` in a file of its own.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator
from dataclasses import replace
from functools import cache

from orchestrator.checklist.gathering import from_plan, from_state
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, RunningStack, Status
from orchestrator.doctor import checks
from orchestrator.engine.check import Severity
from orchestrator.preflight import items
from orchestrator.stack.blueprint.places import Places

__all__ = [
    "Checklist",
    "Evidence",
    "Item",
    "Remark",
    "RunningStack",
    "Status",
    "discover",
    "examine",
    "from_plan",
    "from_state",
]

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@cache
def discover() -> tuple[Item, ...]:
    """Every point, by name: those of the doctor's checks, and those that have a file of their own."""
    own = (importlib.import_module(f"{items.__name__}.{one.name}").ITEM for one in pkgutil.iter_modules(items.__path__))
    return tuple(sorted((*checks.points(), *own), key=lambda one: one.id))


def examine(
    evidence: Evidence,
    occasions: Collection[Checklist],
    places: Places | None = None,
    items: Collection[Item] | None = None,
) -> tuple[Remark, ...]:
    """Everything that is to be said on these occasions (by `items`: all), blockers first; what passed comes last."""
    asked = [item for item in items or discover() if item.occasion in occasions]
    found = [one for item in asked for one in _remarks(item, evidence)]
    where = places or Places(None)
    placed = [_placed(one, evidence, where) for one in dict.fromkeys(found)]
    return tuple(sorted(placed, key=_urgency))


def _remarks(item: Item, evidence: Evidence) -> Iterator[Remark]:
    yield from (replace(one, item=item.id) for one in item.judge(evidence))


def _placed(one: Remark, evidence: Evidence, places: Places) -> Remark:
    resource = evidence.blueprint.resources.get(one.address)
    if resource is None or one.status is not Status.FAILED:
        return one
    return replace(one, place=places.of(resource))


def _urgency(one: Remark) -> tuple[int, int, str, str]:
    order = (Status.FAILED, Status.UNKNOWN, Status.MANUAL, Status.NOT_JUDGED, Status.PASSED).index(one.status)
    return order, _RANK[one.severity] if one.severity else 0, one.item, one.subject
