"""What Terraform says about a stack → a frozen `Stack`. All defects are reported at once.

The models are the contract: docs/reference/contract.schema.json is generated from them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, model_validator

from orchestrator.aws.value_from import keys_apart
from orchestrator.engine.step import Subject, tenant_of
from orchestrator.errors import Invalid, Problem
from orchestrator.stack import patterns
from orchestrator.stack.indexes import PlacedIndex, TenantIndexes, Vespa, placed
from orchestrator.stack.names import Host, Hostname, Identifier, Role, ServerHost, reserved_for_roles
from orchestrator.stack.owned import Owned
from orchestrator.stack.ownership import Part, PartKind
from orchestrator.stack.services import OWN, NamedService, WorkerName, WorkerService, duplicates, subject_of
from orchestrator.stack.values import (
    PASSWORD_KEY,
    Arn,
    ClusterName,
    InMemory,
    InstanceId,
    Listed,
    Mark,
    Port,
    Region,
    SecretPlace,
    Section,
    SitePath,
    Statuses,
    TenantName,
    Text,
)

T = TypeVar("T")
SCHEMA = 1
HEALTH_PATH, HEALTH_STATUSES, HEALTH_MARK = "/api/health", (200,), '{"success": true}'
"""What Onyx's nginx answers once its api does: `{"success":true,"message":"ok","data":null}`, with 200."""
_OF_RDS = re.compile(r"\.rds\.(cn-[a-z]+-[0-9]\.)?amazonaws\.com(\.cn)?$")


class Database(Section):
    """The PostgreSQL server. `host` is an address without a port.

    `instance` is an RDS instance's identifier; `cluster` an Aurora or Multi-AZ DB cluster's, whose writer endpoint is
    the host; neither (`instance` null): the server isn't RDS's, and RDS is asked for nothing.
    `admin_secret_arn` is a secret of Secrets Manager or a parameter of SSM; null where the password is in neither.
    `admin_secret_key` is the key of the secret's JSON object; empty: the whole value. A secret may be named as ECS's
    `valueFrom` names it: its ARN with or without AWS's six characters, then `:KEY:STAGE:VERSION`.
    """

    instance: Text | None
    cluster: Text | None = None
    host: ServerHost
    port: Port = 5432
    admin_user: Text
    admin_secret_arn: SecretPlace | None
    admin_secret_key: str = PASSWORD_KEY
    admin_password: InMemory = None
    aliases: Annotated[tuple[Hostname, ...], Listed] | None = None
    """Other names by which tasks may reach this server: an RDS proxy, a CNAME of your own."""

    @model_validator(mode="after")
    def _is_one_server(self) -> Database:
        if self.instance and self.cluster:
            raise ValueError("an instance of a cluster is named by its cluster alone: `instance` must be null")
        if not self.instance and not self.cluster and _OF_RDS.search(self.host):
            raise ValueError(f"{self.host} is RDS's: name its `instance`, or its `cluster`")
        return self

    @property
    def server(self) -> str:
        """What the server is called: by RDS, else by its host."""
        return self.cluster or self.instance or self.host

    @property
    def kind(self) -> str:
        """`instance`, `cluster`, or `elsewhere`: not RDS's."""
        return "cluster" if self.cluster else "instance" if self.instance else "elsewhere"

    @property
    def elsewhere(self) -> bool:
        """Whether it isn't RDS's."""
        return self.kind == "elsewhere"

    @property
    def part(self) -> Part:
        """The server, as what may be the stack's own or somebody else's."""
        return (PartKind.CLUSTER if self.cluster else PartKind.DATABASE), self.server


class Runner(Section):
    """The instance that SSM commands run on; it can reach the database."""

    instance_id: InstanceId


class LoadBalancer(Section):
    """The application load balancer; `zone_id` is its canonical hosted zone, for Route 53 aliases."""

    arn: Arn
    dns_name: Hostname
    zone_id: Text


class Certificate(Section):
    """The ACM certificate of the HTTPS listener."""

    arn: Arn


class Redis(Section):
    """The ElastiCache replication group; `redis-auth` sets its secret's token (key null: the whole value)."""

    replication_group: Text
    host: Host
    port: Port = 6379
    auth_secret_arn: SecretPlace | None = None
    auth_secret_key: str | None = None


class Dns(Section):
    """Where the hostnames' records live; `role_arn` is a role to assume if the zone is in another AWS account."""

    provider: Text
    zone: Hostname
    ttl: Annotated[int, Field(ge=1, le=604800)] = 300
    role_arn: Arn | None = None


class Tenant(Section):
    """One customer: its database and role, its service, its public name.

    `role` may be the server's admin user, whose password is then left alone. `secret_arn` and `secret_key` have the
    form of the database's `admin_secret_arn` and `admin_secret_key`; without a secret, `role` must exist already.
    """

    database: Identifier
    role: Role
    secret_arn: SecretPlace | None
    secret_key: str = PASSWORD_KEY
    password: InMemory = None
    service: Text
    hostname: Hostname
    target_group_arn: Arn
    log_group: Text | None
    cluster: ClusterName | None = None
    """The ECS cluster of its service, if it isn't the stack's."""
    load_balancer: LoadBalancer | None = None
    """The one in front of it, if it isn't the stack's."""
    certificate: Certificate | None = None
    """The one for its hostname, if it isn't the stack's."""
    dns: Dns | None = None
    """Where its hostname's records live, if not where the stack's `dns` says."""
    index: TenantIndexes | None = None
    """Its search indexes; null: what the stack's `vespa` has for it, if anything."""
    workers: dict[WorkerName, WorkerService] | None = None
    """Its services without a load balancer, by name."""
    health_path: SitePath | None = None
    """With the next two: what its site answers, if not what the stack's sites do."""
    health_statuses: Statuses | None = None
    health_mark: Mark | None = None

    @property
    def service_id(self) -> str:
        """What its service is called: its name, `CLUSTER/NAME` in another cluster than the stack's."""
        return f"{self.cluster}/{self.service}" if self.cluster else self.service

    def services(self, tenant: str) -> Iterator[NamedService]:
        """All of them, the one behind the load balancer first; the tenant is called so."""
        yield NamedService(tenant, tenant, self.service, self.service_id, self.target_group_arn, self.log_group)
        for name, one in (self.workers or {}).items():
            called = f"{self.cluster}/{one.service}" if self.cluster else one.service
            subject, group = subject_of(tenant, name), one.log_group or self.log_group
            yield NamedService(subject, tenant, one.service, called, log_group=group)


@dataclass(frozen=True, slots=True)
class Healthy:
    """What a site that is up answers to a visitor of `path`.

    `mark`: a JSON object whose members the answer's object has; else text that is in it; empty: any answer will do.
    """

    path: str = HEALTH_PATH
    statuses: tuple[int, ...] = HEALTH_STATUSES
    mark: str = HEALTH_MARK


class Stack(Section, Owned):
    """The whole contract, schema 1: the `orchestrator` output of terraform/.

    `runner` may be null: `--database-transport direct` is then the only way to the database.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    stack: Text
    account_id: Annotated[str, Field(pattern=patterns.ACCOUNT)]
    region: Region
    cluster: Text
    database: Database
    runner: Runner | None
    load_balancer: LoadBalancer
    certificate: Certificate | None = None
    bucket: str | None = None
    redis: Redis | None = None
    vespa: dict[str, Vespa] = Field(default_factory=dict)
    """The older way to say `tenants.NAME.index.vespa`, from when every tenant had one."""
    dns: Dns | None = None
    health_path: SitePath | None = None
    """Path at which a site that is up answers; null: `/api/health`."""
    health_statuses: Statuses | None = None
    """HTTP statuses with which it answers; null: 200."""
    health_mark: Mark | None = None
    """What the answer contains; null: `{"success": true}`, as Onyx's does.

    A JSON object: these members; else text (of a redirect, in its Location); empty: any answer will do.
    """
    tenants: Annotated[dict[TenantName, Tenant], Field(min_length=1)]

    def balancer_of(self, tenant: str) -> LoadBalancer:
        """The load balancer that leads to the tenant."""
        return self.tenants[tenant].load_balancer or self.load_balancer

    @property
    def balancers(self) -> tuple[LoadBalancer, ...]:
        """Each that leads to a tenant, once."""
        used = (self.balancer_of(tenant) for tenant in self.tenants)
        return tuple({one.arn: one for one in used}.values())

    def certificate_of(self, tenant: str) -> Certificate | None:
        """The certificate for the tenant's name; of a load balancer of its own nothing but its own is known."""
        own = self.tenants[tenant]
        return own.certificate or (None if own.load_balancer else self.certificate)

    @property
    def certificates(self) -> tuple[str, ...]:
        """The ARN of each, once."""
        used = (self.certificate_of(tenant) for tenant in self.tenants)
        return tuple(dict.fromkeys(one.arn for one in (self.certificate, *used) if one))

    @property
    def services(self) -> Mapping[Subject, NamedService]:
        """Every tenant's services by their subjects, tenant by tenant."""
        every = (one for name, tenant in self.tenants.items() for one in tenant.services(name))
        return {one.subject: one for one in every}

    def subjects_of(self, tenants: Collection[str]) -> tuple[Subject, ...]:
        """The services of these tenants."""
        return tuple(subject for subject, one in self.services.items() if one.tenant in tenants)

    def cluster_of(self, subject: Subject) -> str:
        """The ECS cluster that the service is in."""
        return self.tenants[tenant_of(subject)].cluster or self.cluster

    @property
    def clusters(self) -> tuple[str, ...]:
        """Each that a tenant's service is in, once."""
        return tuple(dict.fromkeys(self.cluster_of(tenant) for tenant in self.tenants))

    def service_part(self, subject: Subject) -> Part:
        """The service, as what may be the stack's own or somebody else's."""
        tenant = tenant_of(subject)
        service = next(one.service for one in self.tenants[tenant].services(tenant) if one.subject == subject)
        return PartKind.SERVICE, f"{self.cluster_of(tenant)}/{service}"

    @property
    def indexes(self) -> tuple[PlacedIndex, ...]:
        """Every tenant's search index, kind by kind."""
        return placed(self.vespa, {name: one.index for name, one in self.tenants.items()})

    @property
    def index_instances(self) -> tuple[str, ...]:
        """What the indexes run on."""
        return tuple(dict.fromkeys(one.server.instance_id for one in self.indexes))

    def healthy(self, tenant: str) -> Healthy:
        """What the tenant's site answers when it is up: its own words before the stack's."""
        own = self.tenants[tenant]
        return Healthy(
            _first(own.health_path, self.health_path, HEALTH_PATH),
            _first(own.health_statuses, self.health_statuses, HEALTH_STATUSES),
            _first(own.health_mark, self.health_mark, HEALTH_MARK),
        )


def _first(own: T | None, everybodys: T | None, default: T) -> T:
    """What is said, the nearest first; an empty text is said too."""
    said = everybodys if own is None else own
    return default if said is None else said


def parse(document: Any, source: str) -> Stack:
    """Validate a decoded contract. Raises `Invalid` with every defect, each with its place in `source`."""
    if not isinstance(document, Mapping):
        fix = "give what `terraform output -json orchestrator` prints"
        raise Invalid(Problem("contract-not-an-object", "the contract must be a JSON object", source, fix))
    version = document.get("schema")
    if version != SCHEMA:
        raise Invalid(_wrong_schema(version, source))
    if passwords := tuple(_passwords(document, source)):
        raise Invalid(*passwords)
    try:
        stack = Stack.model_validate(keys_apart(document), strict=True)
    except ValidationError as error:
        raise Invalid(*(problem_of(found, source) for found in error.errors(include_input=False))) from None
    tenants = {name: {key: getattr(one, key) for key in OWN} for name, one in stack.tenants.items()}
    services = {one.subject: {"service": _service(stack, one)} for one in stack.services.values()}
    owners = {subject: {**tenants.get(subject, {}), **one} for subject, one in services.items()}
    defects = (
        *_reserved_roles(stack, source),
        *_said_twice(stack, source),
        *duplicates(owners, stack.database.admin_user, source),
    )
    if defects:
        raise Invalid(*defects)
    return stack


def _service(stack: Stack, one: NamedService) -> str:
    """What tells it from others: in the stack's own cluster its name, which is the end of its ARN too."""
    return one.service.rpartition("/")[2] if stack.cluster_of(one.tenant) == stack.cluster else one.name


def passwords_of(stack: Stack) -> Iterator[str]:
    """The passwords that are known in memory alone, in clear."""
    for one in (stack.database.admin_password, *(it.password for it in stack.tenants.values())):
        if one is not None:
            yield one.get_secret_value()


def _passwords(document: Mapping[str, Any], source: str) -> Iterator[Problem]:
    """A contract is printed and passed around: a password in it is refused, whatever it is."""
    tenants = document.get("tenants")
    parts = {"database": document.get("database")}
    parts |= {f"tenants.{name}": one for name, one in tenants.items()} if isinstance(tenants, Mapping) else {}
    for place, part in parts.items():
        for key in ("admin_password", "password"):
            if isinstance(part, Mapping) and key in part:
                fix = "keep it in Secrets Manager and name the secret, or take it from the state (`orchestrate init`)"
                yield Problem(
                    "contract-holds-password", "a contract must not hold a password", f"{source}: {place}.{key}", fix
                )


def _reserved_roles(stack: Stack, source: str) -> Iterator[Problem]:
    for name, tenant in stack.tenants.items():
        if reserved_for_roles(tenant.role) and tenant.role != stack.database.admin_user:
            yield reserved_role(name, tenant.role, source)


def _said_twice(stack: Stack, source: str) -> Iterator[Problem]:
    """Where one place says another Vespa of a tenant's than the other, neither is believed."""
    for name, tenant in stack.tenants.items():
        if tenant.index and tenant.index.vespa not in (None, stack.vespa.get(name, tenant.index.vespa)):
            place, fix = f"{source}: tenants.{name}.index.vespa", "say it once, as tenants.NAME.index.vespa"
            yield Problem("contract-index-twice", f"vespa.{name} says otherwise", place, fix)


def reserved_role(tenant: str, role: str, source: str) -> Problem:
    """A role that only the server, or its admin, may have."""
    fix = "name a role of the tenant's own, or the admin user"
    message = f"{role!r} is reserved by PostgreSQL or RDS"
    return Problem("contract-value-invalid", message, f"{source}: tenants.{tenant}.role", fix)


def _wrong_schema(version: Any, source: str) -> Problem:
    said = "it names none" if version is None else f"it says {json.dumps(version, default=str)[:40]}"
    return Problem(
        "contract-schema-unknown",
        f"this version reads contract schema {SCHEMA}; {said}",
        f"{source}: schema",
        "use the `orchestrator` output of this version's terraform/, or the orchestrate version that matches the stack",
    )


def problem_of(found: Mapping[str, Any], source: str) -> Problem:
    """One of pydantic's errors, with its place in the contract."""
    place = ".".join(_shown(str(part)) for part in found["loc"])
    code = "contract-key-missing" if found["type"] == "missing" else "contract-value-invalid"
    if found["type"] == "extra_forbidden":
        code = "contract-key-unknown"
    message = patterns.in_words(found)
    return Problem(code, message, f"{source}: {place}", "correct it where Terraform makes the `orchestrator` output")


def _shown(key: str, longest: int = 80) -> str:
    """A key as it may be printed: control characters are escaped, and of a huge one the beginning is enough."""
    brief = key if len(key) <= longest else key[:longest] + "…"
    return brief if brief.isprintable() else json.dumps(brief)
