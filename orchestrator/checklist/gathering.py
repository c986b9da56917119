"""Evidence out of Terraform's JSON: which service runs which task definition, for whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.checklist.model import Evidence, RunningStack, TenantService
from orchestrator.stack.blueprint.blueprint import Blueprint, of_plan, of_state
from orchestrator.stack.blueprint.changes import state_before
from orchestrator.stack.blueprint.references import targets
from orchestrator.stack.blueprint.resources import Document, Resource
from orchestrator.stack.blueprint.tenancy import Tenancy, contract_of


def from_plan(plan: Document, contract: Document | None = None, live: RunningStack | None = None) -> Evidence:
    """What the plan will leave. Of a plan that destroys everything: the state as it is.

    `contract` is what is known of a stack that has no `orchestrator` output.
    """
    blueprint = of_plan(plan)
    if not blueprint.resources and (before := state_before(plan)):
        return from_state(before, contract, live)
    return _evidence(blueprint, contract, live)


def from_state(state: Document, contract: Document | None = None, live: RunningStack | None = None) -> Evidence:
    """What is there, and what was seen of it live."""
    return _evidence(of_state(state), contract, live)


def _evidence(blueprint: Blueprint, contract: Document | None, live: RunningStack | None) -> Evidence:
    own = contract_of(blueprint.outputs)
    known = own or contract
    tenancy = Tenancy.of(known, list(blueprint.resources.values()), whole=own is not None)
    return Evidence(blueprint, tenancy, tuple(_units(blueprint, tenancy)), _region(blueprint, known), live, known)


def _units(blueprint: Blueprint, tenancy: Tenancy) -> Iterator[TenantService]:
    """Every service that is a tenant's; without any, every service."""
    services = [(one, tenancy.of_service(one)) for one in blueprint.of_type("aws_ecs_service")]
    for one, tenant in [(it, name) for it, name in services if name] or services:
        met = targets(blueprint, one, "aws_ecs_task_definition", "task_definition").any or _of_family(blueprint, one)
        yield TenantService(tenant or one.text("name") or one.address, one, met[0] if met else None)


def _of_family(blueprint: Blueprint, service: Resource) -> list[Resource]:
    """ECS takes `FAMILY:REVISION` and `FAMILY` too; of a family whose other revision runs, Terraform's is the next."""
    family = service.text("task_definition").rsplit("/", 1)[-1].partition(":")[0]
    return [one for one in blueprint.of_type("aws_ecs_task_definition") if family and one.text("family") == family]


def _region(blueprint: Blueprint, contract: Mapping[str, Any] | None) -> str:
    """The contract's, else the one in an ARN of the state, else a subnet's zone without its letter."""
    said = (contract or {}).get("region")
    if isinstance(said, str) and said:
        return said
    for one in blueprint.resources.values():
        parts = one.text("arn").split(":")
        if len(parts) > 5 and parts[3]:
            return parts[3]
    zones = (one.text("availability_zone") for one in blueprint.of_type("aws_subnet"))
    return next((zone[:-1] for zone in zones if zone), "")
