"""How tasks find PostgreSQL: by this server's address without a port, and the tenant's own database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import TaskDefinition
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
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.index import PROVIDERS
from orchestrator.stack.applications import is_another
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

_UNREACHED = frozenset(
    {
        "task-database-host-has-port",
        "task-database-host-unknown",
        "task-database-unreachable",
        "task-database-host-missing",
        "task-database-name-other",
        "task-server-elsewhere",
        *(f"task-{one.name}-unreachable" for one in PROVIDERS),
        "task-container-exited",
    }
)


@dataclass(frozen=True, slots=True)
class DatabaseSettingsCheckFacts:
    """Per tenant the task definition in use; where the server is, and the database each should use."""

    definitions: Mapping[str, TaskDefinition]
    host: str
    port: int
    databases: Mapping[str, str]
    aliases: tuple[str, ...] = ()
    """Other names of the same server."""


def gather(scene: Scene) -> DatabaseSettingsCheckFacts:
    """The contract's words and the task definitions'."""
    database = scene.stack.database
    databases = {name: tenant.database for name, tenant in scene.stack.tenants.items()}
    host, aliases = scene.server().host or database.host, database.aliases or ()
    return DatabaseSettingsCheckFacts(scene.definitions(), host, database.port, databases, aliases)


def judge(facts: DatabaseSettingsCheckFacts) -> Iterable[Finding]:
    """Per tenant: host, port, database."""
    for tenant, definition in facts.definitions.items():
        said = definition.variables()
        secret = definition.secret_names()
        if not _told(said, secret) and is_another([one.image for one in definition.containers]):
            continue
        if "POSTGRES_HOST" not in secret:
            yield from _host(tenant, said.get("POSTGRES_HOST", ""), facts)
        port = said.get("POSTGRES_PORT", "5432")
        if "POSTGRES_PORT" not in secret and port != str(facts.port):
            fix = f'POSTGRES_PORT = "{facts.port}" in the task definition'
            yield _wrong(tenant, "port", port, str(facts.port), fix)
        name = said.get("POSTGRES_DB", "postgres")
        if "POSTGRES_DB" not in secret and name != facts.databases[tenant]:
            fix = f'POSTGRES_DB = "{facts.databases[tenant]}" in the task definition'
            yield _wrong(tenant, "name", name, facts.databases[tenant], fix)


def _told(*names: Iterable[str]) -> bool:
    """Whether it is told of PostgreSQL in Onyx's words: other applications have their own."""
    return any(name.startswith("POSTGRES_") for some in names for name in some)


def _host(tenant: str, host: str, facts: DatabaseSettingsCheckFacts) -> Iterable[Finding]:
    name, colon, port = host.partition(":")
    if colon:
        yield Finding(
            code="database-host-has-port",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the tasks look for PostgreSQL at {host}:{facts.port}",
            cause=f"POSTGRES_HOST holds the endpoint (with :{port}), and Onyx appends the port itself",
            fix="POSTGRES_HOST = aws_db_instance.this.address (not .endpoint) in the task definition; terraform apply",
            evidence=(f"POSTGRES_HOST={host}", f"the server's address is {facts.host}"),
            explains=_UNREACHED,
        )
    elif name.lower() not in {one.lower() for one in (facts.host, *facts.aliases)}:
        fix = "POSTGRES_HOST = aws_db_instance.this.address in the task definition; terraform apply"
        yield _wrong(tenant, "host", host or "(not set)", facts.host, fix)


_VARIABLES = {"host": "POSTGRES_HOST", "port": "POSTGRES_PORT", "name": "POSTGRES_DB"}


def _wrong(tenant: str, what: str, value: str, wanted: str, fix: str) -> Finding:
    variable = _VARIABLES[what]
    return Finding(
        code=f"database-{what}-wrong",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"the tasks use another {variable} than the stack's",
        cause=f"{variable} in the task definition is {value}, and should be {wanted}",
        fix=fix,
        evidence=(f"{variable}={value}", f"wanted: {wanted}"),
        explains=_UNREACHED | {"task-database-missing", "task-database-permission-denied"},
    )


_HOST_HCL = (
    '{ name = "POSTGRES_HOST", value = aws_db_instance.this.address }\n{ name = "POSTGRES_PORT", value = "5432" }'
)


def planned(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """By value where the containers are known, else by what they are made from."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if unit.definition.get("container_definitions") is UNKNOWN:
        yield from _by_reference(unit, unit.definition, evidence)
        return
    definition = backend(unit.definition)
    said = definition.variables()
    own = said.get("POSTGRES_HOST", "").partition(":")[0]
    server = _planned_server(evidence, own)
    host = _planned_hosts(server)[0] if server and own not in _planned_hosts(server) else own
    wanted = evidence.tenancy.databases().get(unit.tenant, said.get("POSTGRES_DB", "postgres"))
    port = number(server.get("port")) if server and server.get("port") is not UNKNOWN else 0
    facts = DatabaseSettingsCheckFacts({unit.tenant: definition}, host, port or 5432, {unit.tenant: wanted})
    for found in judge(facts):
        yield from_finding(
            found,
            address=unit.definition.address,
            current=found.evidence[0],
            wanted=found.evidence[-1],
            hcl=_HOST_HCL if found.code in ("database-host-has-port", "database-host-wrong") else "",
        )


def _planned_server(evidence: Evidence, host: str) -> Resource | None:
    """The one that the host is, whatever else there is; else the first; None: the server is not Terraform's."""
    there = [one for one in evidence.blueprint.of_type(*ADDRESSES) if any(_planned_hosts(one))]
    return next((one for one in there if host in _planned_hosts(one)), next(iter(there), None))


def _planned_hosts(server: Resource) -> list[str]:
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
            why=f"the containers get {endpoint[0].resource}.endpoint, which ends with the port",
            address=definition.address,
            current=f"{endpoint[0].resource}.endpoint",
            wanted=f"{endpoint[0].resource}.address",
            hcl=_HOST_HCL.replace("aws_db_instance.this", endpoint[0].resource),
        )
    elif not any(one.attribute in ADDRESSES[one.type] for one in made_from):
        raise NotKnown(definition.address, "POSTGRES_HOST")


CHECK: Check[Scene, DatabaseSettingsCheckFacts] = Check(
    id="database-settings",
    title="Tasks are configured with the database server's address and their own database",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
POINTS = (
    Item(
        id="database-address",
        title="Tasks are configured with the database server's address, without its port",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned, "POSTGRES_HOST is the address"),
        lines=("PostgreSQL connection uses `address` (not `endpoint`) to avoid port duplication",),
        about="POSTGRES_HOST is the server's address: its endpoint has the port in it, which Onyx appends once more.",
    ),
)
