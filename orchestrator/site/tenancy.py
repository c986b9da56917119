"""Whether what a hostname leads to is its own tenant's: rule, target group, tasks, database. Pure.

A site that answers may be another tenant's, and shows that one's documents: an answer alone proves nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.aws.listeners import DEFAULT, ListenerRule
from orchestrator.aws.task_definition import ContainerDefinition, TaskDefinition
from orchestrator.engine.step import Subject
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack

HTTPS = 443
MIXED = "site-of-another-tenant"
"""The worst: visitors of one tenant see another's data."""
POSTGRES = ("POSTGRES_HOST", "POSTGRES_DB")
DEFAULT_DATABASE = "postgres"
"""What Onyx takes where POSTGRES_DB is not set."""


@dataclass(frozen=True, slots=True)
class TenantParts:
    """What a tenant has for itself, by the contract."""

    hostname: str
    target_group: str
    database: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class SiteOwners:
    """Whose what is. `hosts` are the names of the stack's database server."""

    tenants: Mapping[Subject, TenantParts] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()

    @classmethod
    def of(cls, stack: Stack) -> SiteOwners:
        """As the contract says."""
        owns = {
            name: TenantParts(it.hostname, it.target_group_arn, it.database, it.service_id)
            for name, it in stack.tenants.items()
        }
        return cls(owns, (stack.database.host, *(stack.database.aliases or ())))

    def whose_group(self, target_group: str) -> Subject | None:
        """The tenant whose target group it is."""
        return next((name for name, own in self.tenants.items() if own.target_group == target_group), None)

    def whose_database(self, database: str) -> Subject | None:
        """The tenant whose database it is."""
        return next((name for name, own in self.tenants.items() if own.database == database), None)


@dataclass(frozen=True, slots=True)
class PostgresEnvironment:
    """How one container is told to reach PostgreSQL; None: it is not told in a way that can be read from outside."""

    container: str
    host: str | None
    database: str | None


@dataclass(frozen=True, slots=True)
class SiteBackend:
    """What is behind a tenant's name.

    `groups` are the service's target groups (None: it doesn't say), `serving` the targets registered in those that the
    rules lead to, `addresses` those of the service's tasks, `connections` of the containers that use PostgreSQL.
    `closely`: whether targets and task definitions were asked for; else neither is known.
    """

    groups: tuple[str, ...] | None = None
    serving: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    connections: tuple[PostgresEnvironment, ...] = ()
    closely: bool = True

    def own_groups(self, own: TenantParts) -> tuple[str, ...]:
        """The target groups that are this tenant's: the contract's, and the other colour of its service."""
        return tuple(dict.fromkeys((own.target_group, *(self.groups or ()))))


def connections(definitions: Iterable[TaskDefinition]) -> tuple[PostgresEnvironment, ...]:
    """Of every container that is told of PostgreSQL."""
    found = (_connection(one) for definition in definitions for one in definition.containers)
    return tuple(dict.fromkeys(one for one in found if one is not None))


def _connection(container: ContainerDefinition) -> PostgresEnvironment | None:
    if not any(name in container.environment or name in container.secrets for name in POSTGRES):
        return None
    host, database = (_plain(container, name) for name in POSTGRES)
    unset = database is None and not container.environment_files and POSTGRES[1] not in container.secrets
    return PostgresEnvironment(container.name, host, DEFAULT_DATABASE if unset else database)


def _plain(container: ContainerDefinition, name: str) -> str | None:
    return None if name in container.secrets else container.environment.get(name)


def entrance(rules: Sequence[ListenerRule]) -> Sequence[ListenerRule]:
    """The rules that visitors meet: those of port 443, else of the first listener, the first that counts first."""
    ports = {rule.listener_port for rule in rules}
    port = HTTPS if HTTPS in ports else min(ports, default=HTTPS)
    return sorted((rule for rule in rules if rule.listener_port == port), key=lambda rule: rule.priority)


def led_to(own: TenantParts, path: str, rules: Sequence[ListenerRule]) -> tuple[str, ...]:
    """The target groups that a visitor of the path comes to."""
    taking = next((rule for rule in entrance(rules) if rule.takes(own.hostname, path)), None)
    return taking.target_groups if taking else ()


def misled(
    tenant: Subject, path: str, site_owners: SiteOwners, rules: Sequence[ListenerRule], inside: SiteBackend
) -> Problem | None:
    """The rule that sends the tenant's visitors elsewhere; None: the first that takes them sends them to the tenant."""
    own = site_owners.tenants[tenant]
    mine, here, hinted = frozenset(inside.own_groups(own)), entrance(rules), False
    for rule in here:
        if not rule.matches(own.hostname):
            continue
        for group in rule.target_groups:
            other = site_owners.whose_group(group)
            if other not in (None, tenant):
                message = f"{said(rule)} sends visitors of {own.hostname} to the target group of {other}"
                return Problem(MIXED, message, own.hostname, _repair(own))
        hinted = hinted or (rule.conditional and bool(mine & set(rule.target_groups)))
        if rule.takes(own.hostname, path):
            # Where its own rule before this one asks for more (a CDN's header, say), what a visitor gets is the judge.
            return None if hinted else _taken(rule, own, mine, here)
    return None if hinted else _missing(own)


def _taken(rule: ListenerRule, own: TenantParts, mine: frozenset[str], rules: Sequence[ListenerRule]) -> Problem | None:
    groups = set(rule.target_groups)
    if groups and groups <= mine:
        return None
    if groups & mine:
        message = f"{said(rule)} sends some visitors of {own.hostname} to a target group that is not its own"
        return Problem("listener-rule-divided", message, own.hostname, _repair(own))
    later = [
        one
        for one in rules
        if one.priority > rule.priority and one.matches(own.hostname) and mine & set(one.target_groups)
    ]
    if not later:
        return _missing(own, f": {said(rule)} takes it")
    message = f"{said(rule)} takes {own.hostname} before {said(later[0])}, its own"
    fix = f"give the tenant's rule a priority below {rule.priority}, or narrow that rule"
    return Problem("listener-rule-shadowed", message, own.hostname, fix)


def _missing(own: TenantParts, taken: str = "") -> Problem:
    message = f"no rule of the HTTPS listener sends {own.hostname} to its target group{taken}"
    return Problem("listener-rule-missing", message, own.hostname, _repair(own))


def _repair(own: TenantParts) -> str:
    group = own.target_group.rpartition("targetgroup/")[2]
    return f'have aws_lb_listener_rule with host_header ["{own.hostname}"] forward to {group} alone; terraform apply'


def said(rule: ListenerRule) -> str:
    """The rule, as people find it."""
    name = "the default rule" if rule.priority == DEFAULT else f"rule {rule.priority}"
    groups = ", ".join(arn.rpartition("targetgroup/")[2] for arn in rule.target_groups)
    return f"{name} ({', '.join(rule.hosts) or 'any host'} → {f'{rule.action} {groups}'.rstrip()})"


def mixed_up(tenant: Subject, site_owners: SiteOwners, insides: Mapping[Subject, SiteBackend]) -> Problem | None:
    """What is registered behind the name, or used there, that is another tenant's."""
    own, inside = site_owners.tenants[tenant], insides[tenant]
    found = [
        *_strangers(own, tenant, insides),
        *_shared(own, tenant, insides),
        *_databases(own, tenant, site_owners, inside),
    ]
    return min(found, key=lambda one: one.code != MIXED, default=None)


def _strangers(own: TenantParts, tenant: Subject, insides: Mapping[Subject, SiteBackend]) -> Iterator[Problem]:
    """Targets that are no task of the tenant's service. Instances bear several services' tasks: they tell nothing."""
    inside = insides[tenant]
    at = {address: name for name, one in insides.items() for address in one.addresses}
    for target in inside.serving:
        if target in inside.addresses or not _is_address(target):
            continue
        other = at.get(target)
        whose = f"a task of {other}" if other else f"no task of {own.service}"
        message = f"target {target} behind {own.hostname} is {whose}"
        group = own.target_group
        fix = f"aws elbv2 deregister-targets --target-group-arn {group} --targets Id={target}; see who registered it"
        yield Problem(MIXED if other else "target-foreign", message, own.hostname, fix)


def _shared(own: TenantParts, tenant: Subject, insides: Mapping[Subject, SiteBackend]) -> Iterator[Problem]:
    for name, other in insides.items():
        if name != tenant and own.target_group in (other.groups or ()):
            message = f"the service of {name} registers its tasks in the target group of {own.hostname}"
            fix = f"load_balancer.target_group_arn of the service of {name} must be its own; terraform apply"
            yield Problem(MIXED, message, own.hostname, fix)


def _databases(own: TenantParts, tenant: Subject, site_owners: SiteOwners, inside: SiteBackend) -> Iterator[Problem]:
    hosts = {host.lower() for host in site_owners.hosts}
    for one in inside.connections:
        if one.database is not None and one.database != own.database:
            other = site_owners.whose_database(one.database)
            whose = f", which is {other}'s" if other not in (None, tenant) else ""
            message = f"{own.service} runs a task definition whose {one.container} uses database {one.database}{whose}"
            fix = (
                f"give the service the tenant's own task definition, with POSTGRES_DB = {own.database}; terraform apply"
            )
            yield Problem(MIXED if whose else "database-foreign", message, own.hostname, fix)
        if one.host is not None and one.host.lower().rstrip(".") not in hosts:
            message = f"{own.service} runs a task definition whose {one.container} uses the server {one.host}"
            fix = f"POSTGRES_HOST = {site_owners.hosts[0]}; a proxy of this server: name it in `database.aliases`"
            yield Problem("database-foreign", message, own.hostname, fix)


def _is_address(target: str) -> bool:
    try:
        ipaddress.ip_address(target)
    except ValueError:
        return False
    return True


def unjudged(tenant: Subject, site_owners: SiteOwners, inside: SiteBackend) -> Problem | None:
    """That the database can't be told to be the tenant's, where it was asked for and can't."""
    if not inside.closely:
        return None
    own = site_owners.tenants[tenant]
    hidden = sorted({one.container for one in inside.connections if one.host is None or one.database is None})
    if inside.connections and not hidden:
        return None
    which = f"{', '.join(hidden)} of {own.service}" if hidden else f"no container of {own.service}"
    why = "gets them from somewhere other than its task definition" if hidden else "names them"
    message = f"not judged: whether the database is the tenant's; POSTGRES_HOST and POSTGRES_DB: {which} {why}"
    fix = "put POSTGRES_HOST and POSTGRES_DB as plain variables into the task definition: they are not secrets"
    return Problem("database-not-judged", message, tenant, fix)
