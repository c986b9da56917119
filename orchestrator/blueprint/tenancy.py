"""Whose a resource is: a tenant's, or the whole stack's. From the contract where there is one, else from services.

The contract is taken as raw data, because a plan's may be half unknown. Without one each ECS service is a tenant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from orchestrator.blueprint.resources import UNKNOWN, Document, Resource, state_resources

DEFAULT_TTL = 300
"""Seconds; what a record's TTL is when nothing says it."""
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
class Owner:
    """One tenant, as far as it is known: empty words are not."""

    name: str
    service: str = ""
    hostname: str = ""
    database: str = ""
    target_group: str = ""
    log_group: str = ""
    vespa: str = ""
    secret: str = ""
    ttl: int = DEFAULT_TTL


@dataclass(frozen=True, slots=True)
class Tenancy:
    """The stack's name and tenants; which module is whose; what services, definitions and groups are called."""

    stack: str = ""
    tenants: Mapping[str, Owner] = field(default_factory=dict)
    server: str = ""
    """The DB instance's identifier that the contract names."""
    modules: Mapping[str, str] = field(default_factory=dict)
    by_value: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, contract: Document | None, resources: Iterable[Resource]) -> Tenancy:
        """From a contract (raw, perhaps half unknown), completed from the resources."""
        there = list(resources)
        owners = _of_contract(contract) if contract else {}
        tenants = owners or _of_services(there)
        named = {word: one.name for one in tenants.values() for word in _words(one)}
        services = [one for one in there if one.type == "aws_ecs_service"]
        homes: dict[str, set[str]] = {}
        for one in services:
            if one.module and one.text("name") in named:
                homes.setdefault(one.module, set()).add(named[one.text("name")])
        modules = {module: names.pop() for module, names in homes.items() if len(names) == 1}
        for one in services:
            if one.text("name") in named and one.text("task_definition"):
                named[one.text("task_definition")] = named[one.text("name")]
        server = contract.get("database") if contract else None
        said = server.get("instance") if isinstance(server, Mapping) else ""
        stack = contract.get("stack") if contract else ""
        return cls(stack if isinstance(stack, str) else "", tenants, said or "", modules, named)

    def owner(self, one: Addressed, values: Mapping[str, Any] | None = None) -> str:
        """The tenant it belongs to; empty: the whole stack's (or nobody's that we know)."""
        for key in _KEY.findall(one.address):
            if key in self.tenants:
                return str(key)
        for name in ("id", "arn", "name", "family", "target_group_arn", "instance_id"):
            value = (values or {}).get(name)
            if isinstance(value, str) and value in self.by_value:
                return self.by_value[value]
        return self.modules.get(one.module, "")

    def databases(self) -> Mapping[str, str]:
        """Database by tenant, of those that have a known one."""
        return {name: one.database for name, one in self.tenants.items() if one.database}

    def wait(self) -> int:
        """The longest TTL of the tenants' records, in seconds."""
        return max((one.ttl for one in self.tenants.values()), default=DEFAULT_TTL)


def contract_of(outputs: Mapping[str, Any]) -> Document | None:
    """The `orchestrator` output among these, if it has tenants."""
    said = outputs.get("orchestrator")
    return said if isinstance(said, Mapping) and isinstance(said.get("tenants"), Mapping) else None


def contract_before(plan: Document) -> Document | None:
    """The contract as the state has it."""
    said = plan.get("prior_state", {}).get("values", {}).get("outputs", {})
    return contract_of({name: one.get("value") for name, one in said.items()})


def resources_before(plan: Document) -> list[Resource]:
    """Every resource of the plan's prior state."""
    return list(state_resources(plan.get("prior_state", {})))


def containers(definition: Resource | Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """A task definition's containers; None while they are not known (or can't be read)."""
    said = definition.get("container_definitions")
    if not isinstance(said, str):
        return None
    try:
        parsed = json.loads(said)
    except ValueError:
        return None
    return [one for one in parsed if isinstance(one, dict)] if isinstance(parsed, list) else None


def variables(definition: Resource | Mapping[str, Any]) -> Mapping[str, str]:
    """The plain environment of all containers together."""
    return {
        str(pair["name"]): str(pair.get("value", ""))
        for one in containers(definition) or ()
        for pair in one.get("environment") or ()
        if isinstance(pair, dict) and "name" in pair
    }


def _of_contract(contract: Document) -> dict[str, Owner]:
    dns, vespas = _mapping(contract.get("dns")), _mapping(contract.get("vespa"))
    found = {}
    for name, raw in _mapping(contract.get("tenants")).items():
        said = _mapping(raw)
        found[name] = Owner(
            name,
            _word(said.get("service")),
            _word(said.get("hostname")),
            _word(said.get("database")),
            _word(said.get("target_group_arn")),
            _word(said.get("log_group")),
            _word(_mapping(vespas.get(name)).get("instance_id")),
            _word(said.get("secret_arn")),
            _ttl(_mapping(said.get("dns")).get("ttl") or dns.get("ttl")),
        )
    return found


def _of_services(resources: list[Resource]) -> dict[str, Owner]:
    """Without a contract: services that a load balancer leads to (or all, when none has one)."""
    services = [one for one in resources if one.type == "aws_ecs_service"]
    definitions = {one.text("arn"): one for one in resources if one.type == "aws_ecs_task_definition"}
    hosts = _hosts(resources)
    found = {}
    for one in [it for it in services if it.get("load_balancer")] or services:
        group = one.text("load_balancer", 0, "target_group_arn")
        definition = definitions.get(one.text("task_definition"))
        database = variables(definition).get("POSTGRES_DB", "") if definition else ""
        name = one.text("name") or one.address
        found[name] = Owner(name, one.text("name"), hosts.get(group, ""), database, group)
    return found


def _hosts(resources: list[Resource]) -> dict[str, str]:
    """Host name by target group, from listener rules."""
    found = {}
    for rule in resources:
        if rule.type in ("aws_lb_listener_rule", "aws_alb_listener_rule"):
            conditions = rule.blocks("condition")
            hosts = [host for one in conditions for it in one.get("host_header") or () for host in it.get("values", ())]
            group = rule.text("action", 0, "target_group_arn")
            if hosts and group:
                found[group] = str(hosts[0])
    return found


def _words(one: Owner) -> list[str]:
    return [word for word in (one.service, one.target_group, one.log_group, one.vespa, one.secret) if word]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _word(value: Any) -> str:
    return value if isinstance(value, str) and value is not UNKNOWN else ""


def _ttl(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else DEFAULT_TTL
