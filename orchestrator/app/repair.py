"""What `doctor --fix` does about a diagnosis: which of the steps repair something, and for whom. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from orchestrator.engine.check import Diagnosis
from orchestrator.engine.step import STACK, Subject, tenant_of

FIRST = {"tenant-databases": ("database-server", "runner")}
"""Steps that only watch, and must be true before."""
AFTERWARDS = ("redeploy", "services")
"""Redeploys what failed for the cause, if that helps; then checks whether it did."""


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """The steps that repair, and the tenants they are made for."""

    repairs: frozenset[str] = frozenset()
    tenants: frozenset[Subject] = frozenset()

    @property
    def steps(self) -> frozenset[str]:
        """All of them: those that repair, what they need, and what shows that it helped."""
        needed = {step for repair in self.repairs for step in FIRST.get(repair, ())}
        return self.repairs | needed | set(AFTERWARDS)

    def sparing(self, tenants: Collection[Subject]) -> RepairPlan | None:
        """The same without the tenants whose these are; None: nobody is left."""
        left = self.tenants - frozenset(map(tenant_of, tenants))
        return RepairPlan(self.repairs, left) if left else None


def repair_plan(diagnosis: Diagnosis, tenants: Collection[Subject]) -> RepairPlan | None:
    """What can be repaired; None: nothing can. A cause that can't be is left alone with all that follows from it."""
    cases = [case for case in diagnosis.cases if case.root.repair]
    if not cases:
        return None
    found = [one for case in cases for one in (case.root, *case.consequences)]
    sick = {tenant_of(one.subject) for one in found}
    return RepairPlan(
        frozenset(one.repair for one in found if one.repair), frozenset(tenants) if STACK in sick else frozenset(sick)
    )
