"""What a plan will do to the people using the sites, in plain words; and the gate that refuses losses nobody named.

`of_plan` reads a plan's JSON, `gate` judges; both are pure. Whatever else destroys or replaces something (`destroy`,
`restore`) makes consequences of its own and passes the same gate.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable

from orchestrator.consequences import kinds
from orchestrator.consequences.gate import fingerprint, gate
from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.consequences.ordering import settled
from orchestrator.consequences.plan_reading import read_plan
from orchestrator.stack.blueprint.resources import Document

__all__ = ["Consequence", "Effect", "Kind", "PlanReading", "discover", "fingerprint", "gate", "of_plan"]


def discover() -> tuple[Kind, ...]:
    """Every kind of consequence: one file each in `kinds`."""
    names = sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))
    return tuple(importlib.import_module(f"{kinds.__name__}.{name}").KIND for name in names)


def of_plan(plan: Document, contract: Document | None = None, snapshots: Iterable[str] = ()) -> tuple[Consequence, ...]:
    """The consequences of `terraform show -json PLAN`, the worst first.

    `contract` is what is known of a stack that has no `orchestrator` output (else its services tell who is who);
    `snapshots` are sentences about what a lost database could be restored from.
    """
    scene = read_plan(plan, contract, tuple(snapshots))
    found = [one for kind in discover() for one in kind.judge(scene)]
    over = bool(scene.tenancy.tenants) and not scene.staying
    return settled(found, scene.tenancy, over=over)
