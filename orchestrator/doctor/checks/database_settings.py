"""How tasks find PostgreSQL: by this server's address without a port, and the tenant's own database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import ADDRESSES, backend, is_onyx, number
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.index import PROVIDERS
from orchestrator.stack.applications import is_another
from orchestrator.stack.blueprint.references import sources
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource, Resources
from orchestrator.stack.blueprint.tenancy import contract_of
from orchestrator.stack.inference.servers import name_in_rds, servers, way_to
from orchestrator.stack.names import host_and_port
from orchestrator.stack.records import plain

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
        another = is_another([one.image for one in definition.containers])
        # What another application isn't told in these words it is told in its own; a file may say it too.
        open_ = another or any(one.environment_files for one in definition.containers)
        asked = {name for name in _VARIABLES.values() if name in said or not open_} - definition.secret_names()
        if "POSTGRES_HOST" in asked and is_beside(definition, said.get("POSTGRES_HOST", "")):
            asked = {"POSTGRES_DB"} & asked
        if "POSTGRES_HOST" in asked:
            yield from _host(tenant, said.get("POSTGRES_HOST", ""), facts, another=another)
        port = said.get("POSTGRES_PORT", "5432")
        if "POSTGRES_PORT" in asked and port != str(facts.port):
            fix = f'POSTGRES_PORT = "{facts.port}" in the task definition'
            yield _wrong(tenant, "port", port, str(facts.port), fix)
        name = said.get("POSTGRES_DB", "postgres")
        if "POSTGRES_DB" in asked and name != facts.databases[tenant_of(tenant)]:
            fix = f'POSTGRES_DB = "{facts.databases[tenant_of(tenant)]}" in the task definition'
            yield _wrong(tenant, "name", name, facts.databases[tenant_of(tenant)], fix)


def is_beside(definition: TaskDefinition, host: str) -> bool:
    """Whether a container beside it passes connections on: what is behind that one, its own variables say."""
    images = [one.image.lower() for one in definition.containers]
    return host_and_port(host)[0] in _HERE and any(word in image for image in images for word in _POOLS)


def _host(tenant: str, host: str, facts: DatabaseSettingsCheckFacts, *, another: bool) -> Iterable[Finding]:
    name, port = host_and_port(host)
    if port and not another:
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
    elif name not in {host_and_port(one)[0] for one in (facts.host, *facts.aliases)}:
        fix = "POSTGRES_HOST = aws_db_instance.this.address in the task definition; terraform apply"
        yield _wrong(tenant, "host", host or "(not set)", facts.host, fix)


_VARIABLES = {"host": "POSTGRES_HOST", "port": "POSTGRES_PORT", "name": "POSTGRES_DB"}
_HERE = ("localhost", "127.0.0.1", "::1")
_POOLS = ("bouncer", "pgpool", "pgcat", "odyssey", "proxy", "envoy")
"""In the names of images that pool connections to PostgreSQL or pass them on."""


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
    own, _ = host_and_port(said.get("POSTGRES_HOST", ""))
    server = _planned_server(evidence, own, onyx=is_onyx(definition))
    if server is None and own and not is_beside(definition, own):
        raise NotConcerned(f"POSTGRES_HOST is {own}, and no server that is known here is called so")
    host, port = server or (own, 0)
    wanted = evidence.tenancy.databases().get(unit.tenant, said.get("POSTGRES_DB", "postgres"))
    port = port or number(said.get("POSTGRES_PORT")) or 5432
    facts = DatabaseSettingsCheckFacts({unit.tenant: definition}, host, port, {unit.tenant: wanted})
    for found in judge(facts):
        yield from_finding(
            found,
            address=unit.definition.address,
            current=found.evidence[0],
            wanted=found.evidence[-1],
            hcl=_HOST_HCL if found.code in ("database-host-has-port", "database-host-wrong") else "",
        )


def _planned_server(evidence: Evidence, host: str, *, onyx: bool) -> tuple[str, int] | None:
    """Address and port (0: not known) that the tasks should be told; None: the server isn't known here.

    That is the host itself where it is a server's, or a way leads to one; else what the stack's own output says; else,
    of an Onyx that is told none or a name that a server has lost, that server's address.
    """
    blueprint = evidence.blueprint
    there = blueprint.cached("everything", lambda: Resources([*blueprint.resources.values(), *blueprint.looked_up]))
    if way := way_to(host, there) if host else None:
        return host, number(way.server.get("port")) if way.server.get("port") is not UNKNOWN else 0
    if any(host in map(plain, _planned_hosts(one)) for one in there.of(*ADDRESSES, data=True)):
        return host, 0
    own = contract_of(blueprint.outputs)
    database = own.get("database") if own else None
    if isinstance(database, Mapping) and isinstance(database.get("host"), str):
        return database["host"], 0
    known = [one for one in servers(there) if one.text("address")]
    meant = [one for one in known if not host or one.text("identifier") == name_in_rds(host)]
    if onyx and meant:
        return meant[0].text("address"), number(meant[0].get("port"))
    return None


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
