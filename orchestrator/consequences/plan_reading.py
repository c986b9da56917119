"""A plan's JSON, read for all kinds of consequences at once."""

from __future__ import annotations

from orchestrator.consequences.model import PlanReading
from orchestrator.stack.blueprint.changes import (
    ResourceChange,
    changes_of,
    deferred_of,
    invocations_of,
    outputs_after,
    state_before,
)
from orchestrator.stack.blueprint.resources import Document, read
from orchestrator.stack.blueprint.tenancy import Tenancy, contract_before, contract_of


def read_plan(plan: Document, contract: Document | None = None, snapshots: tuple[str, ...] = ()) -> PlanReading:
    """The stack's own output wins over `contract`. A deposed object is left out: its successor is there."""
    changes: dict[str, list[ResourceChange]] = {}
    for change in changes_of(plan):
        if not change.deposed:
            changes.setdefault(change.type, []).append(change)
    before = read(state_before(plan))
    there = [one for one in before.everything() if not one.is_data]
    after = contract_of(outputs_after(plan))
    own = contract_before(plan) or after
    tenancy = Tenancy.of(own or contract, there, whole=own is not None)
    ending = {
        str(one.before[key]): one.address
        for every in changes.values()
        for one in every
        if one.ends
        for key in ("id", "arn")
        if one.before.get(key)
    }
    staying = _staying(tenancy, after, changes)
    invoked, deferred = invocations_of(plan), deferred_of(plan)
    return PlanReading(changes, before, tenancy, staying, snapshots, ending, invoked, deferred)


def _staying(tenancy: Tenancy, after: Document | None, changes: dict[str, list[ResourceChange]]) -> frozenset[str]:
    """By the contract afterwards, else those whose service doesn't go for good."""
    if after is not None:
        return frozenset(map(str, after["tenants"]))
    ending = [one for one in changes.get("aws_ecs_service", ()) if one.ends and not one.replaced]
    gone = {
        word
        for one in ending
        for word in (one.was("name"), f"{one.was('cluster').rsplit('/', 1)[-1]}/{one.was('name')}")
    }
    return frozenset(name for name, one in tenancy.tenants.items() if (one.whole or one.service) not in gone)
