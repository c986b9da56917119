"""POSTGRES_HOST is the server's address: its endpoint has the port in it, which Onyx appends once more."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import ADDRESSES, backend, number
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.checks import database_settings as checks
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

_HCL = '{ name = "POSTGRES_HOST", value = aws_db_instance.this.address }\n{ name = "POSTGRES_PORT", value = "5432" }'


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By value where the containers are known, else by what they are made from."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if unit.definition.get("container_definitions") is UNKNOWN:
        yield from _by_reference(unit, unit.definition, evidence)
        return
    definition = backend(unit.definition)
    said = definition.variables()
    own = said.get("POSTGRES_HOST", "").partition(":")[0]
    server = _server(evidence, own)
    host = _hosts(server)[0] if server and own not in _hosts(server) else own
    wanted = evidence.tenancy.databases().get(unit.tenant, said.get("POSTGRES_DB", "postgres"))
    port = number(server.get("port")) if server and server.get("port") is not UNKNOWN else 0
    facts = checks.DatabaseSettingsCheckFacts({unit.tenant: definition}, host, port or 5432, {unit.tenant: wanted})
    for found in checks.judge(facts):
        yield from_finding(
            found,
            address=unit.definition.address,
            current=found.evidence[0],
            wanted=found.evidence[-1],
            hcl=_HCL if found.code in ("database-host-has-port", "database-host-wrong") else "",
        )


def _server(evidence: Evidence, host: str) -> Resource | None:
    """The one that the host is, whatever else there is; else the first; None: the server is not Terraform's."""
    there = [one for one in evidence.blueprint.of_type(*ADDRESSES) if any(_hosts(one))]
    return next((one for one in there if host in _hosts(one)), next(iter(there), None))


def _hosts(server: Resource) -> list[str]:
    return [server.text(name) for name in ADDRESSES[server.type] if server.text(name)]


def _by_reference(unit: TenantService, definition: Resource, evidence: Evidence) -> Iterable[Remark]:
    """An endpoint among the sources is one too many; an address alone is right; neither tells nothing."""
    every = sources(evidence.blueprint, definition, "container_definitions")
    made_from = [one for one in every if one.type in ADDRESSES]
    endpoint = [one for one in made_from if (one.type, one.attribute) == ("aws_db_instance", "endpoint")]
    if endpoint:
        yield Remark(
            status=Status.FAILED,
            code="database-host-has-port",
            severity=Severity.BLOCKER if endpoint[0].sure else Severity.WARNING,
            subject=unit.tenant,
            says="the tasks will look for PostgreSQL at host:5432:5432",
            why=f"the containers are made from {endpoint[0].resource}.endpoint, which ends in the port",
            address=definition.address,
            current=f"{endpoint[0].resource}.endpoint",
            wanted=f"{endpoint[0].resource}.address",
            hcl=_HCL.replace("aws_db_instance.this", endpoint[0].resource),
        )
    elif not any(one.attribute in ADDRESSES[one.type] for one in made_from):
        raise NotKnown(definition.address, "POSTGRES_HOST")


ITEM = Item(
    id="database-address",
    title="Tasks are told the database server's address, without its port",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "POSTGRES_HOST is made from the address"),
    lines=("PostgreSQL connection uses `address` (not `endpoint`) to avoid port duplication",),
)
