"""Whose a resource is: a tenant's, or the whole stack's. From the contract where there is one, else from services.

The contract is taken as raw data, because a plan's may be half unknown. Without one each ECS service is a tenant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.stack.blueprint.changes import outputs_before
from orchestrator.stack.blueprint.containers import containers_in
from orchestrator.stack.blueprint.resources import UNKNOWN, Document, Resource, blocks_in, host_headers

DEFAULT_TTL = 300
"""Seconds; what a record's TTL is when nothing says it."""
RULE = "aws_lb_listener_rule"
_KEY = re.compile(r'\["([^"]+)"\]')


class Addressed(Protocol):
    """A resource or a change of one."""

    @property
    def address(self) -> str: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def module(self) -> str: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class ResourceOwner:
    """One tenant, as far as it is known: empty words are not."""

    name: str
    service: str = ""
    hostname: str = ""
    database: str = ""
    target_group: str = ""
    log_group: str = ""
    vespa: str = ""
    opensearch: str = ""
    """With `vespa`: the instances of its search indexes."""
    secret: str = ""
    ttl: int = DEFAULT_TTL
    servers: frozenset[str] = frozenset()
    """What its database server is called: identifier (an instance's or a cluster's), address."""
    cluster: str = ""
    """Its service's; empty: not known."""
    looked_after: bool = False
    """Whether a contract names it: its database and record are then kept right by `orchestrate apply`."""
    dns: str = ""
    """Who holds its record, by the contract; empty: nobody that is known."""
    workers: tuple[str, ...] = ()
    """Its services without a load balancer."""

    @property
    def whole(self) -> str:
        """CLUSTER/SERVICE, where both are known."""
        return f"{self.cluster}/{self.service}" if self.cluster and self.service else ""


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The stack's name and tenants; which module is whose; what services, definitions and groups are called."""

    stack: str = ""
    tenants: Mapping[str, ResourceOwner] = field(default_factory=dict)
    server: str = ""
    """The DB instance's identifier that the contract names."""
    modules: Mapping[str, str] = field(default_factory=dict)
    by_value: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, contract: Document | None, resources: Iterable[Resource], *, whole: bool = True) -> Tenancy:
        """From a contract (raw, perhaps half unknown), completed from the resources.

        `whole`: it names every tenant, as a stack's own output does. An inferred one names those of one cluster: what
        else has a way in counts as a tenant too, under its service's name.
        """
        there = list(resources)
        tenants = _of_contract(contract) if contract else {}
        if not tenants or not whole:
            theirs = {one.whole or one.service for one in tenants.values()} - {""}
            theirs |= {word for one in tenants.values() for word in one.workers}
            others = _of_services(there).items()
            tenants |= {name: one for name, one in others if not {one.whole, one.service} & theirs}
        services = [one for one in there if one.type == "aws_ecs_service"]
        repeated = _repeated(services)
        named = {word: one.name for one in tenants.values() for word in _words(one) if word not in repeated}
        homes: dict[str, set[str]] = {}
        for one in services:
            owner = named.get(_whole(one.values), "") or named.get(one.text("name"), "")
            if one.module and owner:
                homes.setdefault(one.module, set()).add(owner)
            if owner and one.text("task_definition"):
                named[one.text("task_definition")] = owner
        modules = {module: names.pop() for module, names in homes.items() if len(names) == 1}
        server = contract.get("database") if contract else None
        said = (server.get("instance") or server.get("cluster")) if isinstance(server, Mapping) else ""
        stack = contract.get("stack") if contract else ""
        return cls(stack if isinstance(stack, str) else "", tenants, said or "", modules, named)

    def owner(self, one: Addressed, values: Mapping[str, Any] | None = None) -> str:
        """The tenant it belongs to; empty: the whole stack's (or nobody's that we know)."""
        for key in _KEY.findall(one.address):
            if key in self.tenants:
                return str(key)
        if found := self.by_value.get(_whole(values or {}), ""):
            return found
        for name in ("id", "arn", "name", "family", "target_group_arn", "instance_id"):
            value = (values or {}).get(name)
            if isinstance(value, str) and value in self.by_value:
                return self.by_value[value]
        return self.modules.get(one.module, "")

    def of_service(self, service: Resource) -> str:
        """The tenant of an ECS service: its name tells, with its cluster's where several services have it."""
        named = self.by_value.get(_whole(service.values), "") or self.by_value.get(service.text("name"), "")
        return named or self.owner(service, service.values)

    def databases(self) -> Mapping[str, str]:
        """Database by tenant, of those that have a known one."""
        return {name: one.database for name, one in self.tenants.items() if one.database}

    def wait(self) -> int:
        """The longest TTL of the tenants' records, in seconds."""
        return max((one.ttl for one in self.tenants.values()), default=DEFAULT_TTL)


def _whole(values: Mapping[str, Any]) -> str:
    """CLUSTER/SERVICE of a service with these values."""
    return f"{_cluster(values)}/{_word(values.get('name'))}"


def _cluster(values: Mapping[str, Any]) -> str:
    return _word(values.get("cluster")).rsplit("/", 1)[-1]


def _repeated(services: Iterable[Resource]) -> set[str]:
    """Names that services of several clusters have: they tell nothing by themselves."""
    clusters: dict[str, set[str]] = {}
    for one in services:
        clusters.setdefault(one.text("name"), set()).add(_cluster(one.values))
    return {name for name, some in clusters.items() if len(some) > 1}


def contract_of(outputs: Mapping[str, Any]) -> Document | None:
    """The `orchestrator` output among these, if it has tenants."""
    said = outputs.get("orchestrator")
    return said if isinstance(said, Mapping) and isinstance(said.get("tenants"), Mapping) else None


def contract_before(plan: Document) -> Document | None:
    """The contract as the state has it."""
    return contract_of(outputs_before(plan))


def containers(definition: Resource | Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A task definition's containers; None while they are not known (or can't be read)."""
    return containers_in(definition.get("container_definitions"))


def variables(definition: Resource | Mapping[str, Any]) -> Mapping[str, str]:
    """The plain environment of all containers together."""
    return {
        str(pair["name"]): str(pair.get("value", ""))
        for one in containers(definition) or ()
        for pair in one.get("environment") or ()
        if isinstance(pair, dict) and "name" in pair
    }


def _of_contract(contract: Document) -> dict[str, ResourceOwner]:
    dns, vespas, server = (_mapping(contract.get(name)) for name in ("dns", "vespa", "database"))
    aliases = server.get("aliases")
    named = [server.get(key) for key in ("instance", "cluster", "host")]
    named += aliases if isinstance(aliases, list | tuple) else []
    servers = frozenset(set(map(_word, named)) - {""})
    found = {}
    for name, raw in _mapping(contract.get("tenants")).items():
        said = _mapping(raw)
        indexes = _mapping(said.get("index"))
        found[name] = ResourceOwner(
            name,
            _word(said.get("service")),
            _word(said.get("hostname")),
            _word(said.get("database")),
            _word(said.get("target_group_arn")),
            _word(said.get("log_group")),
            _word(_mapping(indexes.get("vespa") or vespas.get(name)).get("instance_id")),
            _word(_mapping(indexes.get("opensearch")).get("instance_id")),
            _word(said.get("secret_arn")),
            _ttl(_mapping(said.get("dns")).get("ttl") or dns.get("ttl")),
            servers,
            _cluster(said) or _cluster(contract),
            True,
            _word((_mapping(said.get("dns")) or dns).get("provider")),
            tuple(_word(_mapping(one).get("service")) for one in _mapping(said.get("workers")).values()),
        )
    return found


def _of_services(resources: list[Resource]) -> dict[str, ResourceOwner]:
    """Without a contract: services that a load balancer leads to (or all, when none has one)."""
    services = [one for one in resources if one.type == "aws_ecs_service"]
    definitions = {one.text("arn"): one for one in resources if one.type == "aws_ecs_task_definition"}
    hosts, near, repeated = _hosts(resources), _hosts_near(resources), _repeated(services)
    found = {}
    for one in [it for it in services if it.get("load_balancer")] or services:
        group = one.text("load_balancer", 0, "target_group_arn")
        definition = definitions.get(one.text("task_definition"))
        said = variables(definition) if definition else {}
        server = frozenset({said.get("POSTGRES_HOST", "").partition(":")[0]} - {""})
        name, database, cluster = one.text("name") or one.address, said.get("POSTGRES_DB", ""), _cluster(one.values)
        name = f"{cluster}-{name}" if name in repeated else name
        host = hosts.get(group, "") if group else _only(near, one)
        found[name] = ResourceOwner(name, one.text("name"), host, database, group, servers=server, cluster=cluster)
    return found


def _hosts(resources: list[Resource]) -> dict[str, str]:
    """Host name by target group, from listener rules."""
    found: dict[str, str] = {}
    for rule in resources:
        if rule.type == RULE and (hosts := _hosts_of(rule)):
            found |= dict.fromkeys(groups_of(rule), hosts[0])
    return found


def _hosts_near(resources: list[Resource]) -> dict[str, set[str]]:
    """Host names by the rule's module, and by each key of its address: what a plan has while ARNs are unknown."""
    found: dict[str, set[str]] = {}
    for rule in resources:
        if rule.type == RULE and (hosts := _hosts_of(rule)):
            for place in (rule.module, *_KEY.findall(rule.address)):
                found.setdefault(place, set()).add(hosts[0])
    return found


def _only(near: Mapping[str, set[str]], service: Resource) -> str:
    """The one name that is near the service; empty where there are several, or none."""
    for place in (*_KEY.findall(service.address), service.module):
        if len(near.get(place, ())) == 1:
            return next(iter(near[place]))
    return ""


def _hosts_of(rule: Resource) -> list[str]:
    return [host.lower() for condition in rule.blocks("condition") for host in host_headers(condition)]


def groups_of(one: Resource) -> Iterator[str]:
    """The target groups that a rule, or a listener by itself, leads to: written short, or with weights."""
    for action in (*one.blocks("action"), *one.blocks("default_action")):
        said = [action.get("target_group_arn")]
        for forward in blocks_in(action.get("forward")):
            said += [group.get("arn") for group in blocks_in(forward.get("target_group"))]
        yield from (one for one in said if isinstance(one, str) and one)


def _words(one: ResourceOwner) -> list[str]:
    words = (one.whole, one.service, one.target_group, one.log_group, one.vespa, one.opensearch, one.secret)
    return [word for word in (*words, *one.workers) if word]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value is not UNKNOWN else ""


def _ttl(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else DEFAULT_TTL
