"""Every tenant's database: Terraform creates servers, not the databases in them."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.facts import backend, runs_another
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    not_judged,
    passed,
    unknown,
)
from orchestrator.checklist.verdicts import seen_by
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.resources import UNKNOWN
from orchestrator.stack.blueprint.tenancy import variables

_OUTPUT = 'output "orchestrator" { … } # docs/reference/contract.md: orchestrate apply then creates it'


_NOT_TOLD = "no load balancer routes to it, so it is not a tenant here: its database is up to its owner"


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Who will make it: RDS itself, Terraform's PostgreSQL provider, or orchestrate apply."""
    made = {one.text("db_name") for one in evidence.blueprint.of_type("aws_db_instance")} - {""}
    made |= {one.text("name") for one in evidence.blueprint.of_type("postgresql_database")}
    for unit in evidence.units:
        if _has_none(unit):
            continue
        said = variables(unit.definition).get("POSTGRES_DB", "") if unit.definition else ""
        known = unit.definition is not None and unit.definition.get("container_definitions") is not UNKNOWN
        database = evidence.tenancy.databases().get(unit.tenant) or said or ("postgres" if known else "")
        if database in {*made, "postgres"}:
            yield passed(f"the server is created with {database}", subject=unit.tenant)
        elif unit.tenant in evidence.known_tenants or _can_be_understood(unit):
            yield unknown(f"orchestrate apply creates the database {database}".rstrip(), subject=unit.tenant)
        elif runs_another(unit.definition):
            yield not_judged(_NOT_TOLD, subject=unit.tenant, address=unit.service.address)
        else:
            yield _nobody(unit.tenant, database or "onyx_<tenant>", unit.service.address)


def _has_none(unit: TenantService) -> bool:
    """A service that is not Onyx's backend (web alone, a proxy)."""
    try:
        return unit.definition is not None and backend(unit.definition) is None
    except NotConcerned:
        return True
    except NotKnown:
        return False


def _can_be_understood(unit: TenantService) -> bool:
    """Whether the state will tell that it is a tenant: one is a service with a way in."""
    return bool(unit.service.get("load_balancer"))


def _nobody(tenant: str, database: str, address: str) -> Remark:
    return Remark(
        status=Status.FAILED,
        code="database-made-by-nobody",
        severity=Severity.WARNING,
        subject=tenant,
        says=f'tasks will fail: database "{database}" does not exist',
        why="Terraform creates only the server, and orchestrate doesn't know the tenant: no load balancer routes to it",
        address=address,
        current="no `orchestrator` output, no db_name, no load_balancer",
        wanted=f"somebody who creates {database}",
        hcl=_OUTPUT,
    )


ITEM = Item(
    id="tenant-database",
    title="Every tenant's database exists",
    occasion=Checklist.AFTER,
    judge=seen_by("tenant-databases", judge),
    lines=("Create tenant database: `CREATE DATABASE onyx_customer_a;`",),
)
