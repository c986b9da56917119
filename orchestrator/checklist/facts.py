"""Terraform's resources as the facts that checks judge: the same values that the doctor's readers give.

Each raises `NotKnown` for a value that the judgement needs and a plan doesn't know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.network import ANY, SecurityGroup, SecurityRule
from orchestrator.aws.service_settings import LoadBalancerBinding, ServiceSettings
from orchestrator.aws.task_definition import TaskDefinition, parsed
from orchestrator.checklist.model import Evidence, NotConcerned, NotKnown
from orchestrator.stack import applications
from orchestrator.stack.blueprint import references
from orchestrator.stack.blueprint.containers import containers_in
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource, texts_in

ADDRESSES = {
    "aws_db_instance": ("address",),
    "aws_rds_cluster": ("endpoint", "reader_endpoint"),
    "aws_db_proxy": ("endpoint",),
}
"""Of database servers the attributes that are a host name alone: an instance's endpoint has its port in it."""
NOT_ONYX = "this is advice about Onyx, and no Onyx image runs there"
NO_DATABASE = "none of its containers has a POSTGRES_ variable"
UNSAID = {"healthy_threshold": 5, "unhealthy_threshold": 2}
"""AWS's own thresholds, where there is no block at all; within one the provider's are 3."""
_TCP = ("tcp", "-1", "6", "all")


def known(resource: Resource, *path: str | int) -> Any:
    """The value at the path. Raises `NotKnown`."""
    value = resource.get(*path)
    if value is UNKNOWN:
        raise NotKnown(resource.address, ".".join(map(str, path)))
    return value


def number(value: Any) -> int:
    """A count that Terraform gives as a number or as text; 0 where there is none."""
    return int(value) if str(value or "").isdecimal() else 0


def task_size(definition: Resource) -> TaskDefinition:
    """CPU units and MB of the task alone; no containers."""
    return TaskDefinition(
        arn=definition.address,
        cpu=number(known(definition, "cpu")),
        memory=number(known(definition, "memory")),
    )


def task_definition(definition: Resource) -> TaskDefinition:
    """With its containers. Roles that are not known yet are named by their address."""
    containers = containers_in(known(definition, "container_definitions")) or []
    size = task_size(definition)
    roles = {
        name: "" if definition.get(key) is None else definition.text(key) or f"{definition.address}.{key}"
        for name, key in (("executionRoleArn", "execution_role_arn"), ("taskRoleArn", "task_role_arn"))
    }
    document = {
        "taskDefinitionArn": definition.address,
        "cpu": size.cpu,
        "memory": size.memory,
        "containerDefinitions": [_container(one) for one in containers if one.get("name")],
    }
    return parsed({**document, **roles})


def backend(definition: Resource) -> TaskDefinition:
    """The same of a service that talks to PostgreSQL. Raises `NotConcerned` for another (web alone, a proxy)."""
    found = task_definition(definition)
    if not _talks(found) and not any("onyx-backend" in one.image for one in found.containers):
        raise NotConcerned(NO_DATABASE)
    return found


def onyx_backend(definition: Resource) -> TaskDefinition:
    """The same of a service that is Onyx's backend: of other applications the guide says nothing."""
    _of_onyx(task_definition(definition))
    return backend(definition)


def onyx(definition: Resource) -> TaskDefinition:
    """A task definition with an image of Onyx. Raises `NotConcerned`."""
    return _of_onyx(task_definition(definition))


def _of_onyx(found: TaskDefinition) -> TaskDefinition:
    if not is_onyx(found):
        raise NotConcerned(NOT_ONYX)
    return found


def runs_another(definition: Resource | None) -> bool:
    """Whether its containers are known, and Onyx's are not among them."""
    if definition is None or definition.get("container_definitions") is UNKNOWN:
        return False
    return applications.is_another([one.image for one in task_definition(definition).containers])


def is_onyx(found: TaskDefinition) -> bool:
    """Whether one of the images is Onyx's."""
    return applications.is_onyx(one.image for one in found.containers)


def _talks(found: TaskDefinition) -> bool:
    return any(name.startswith("POSTGRES_") for name in found.variables().keys() | found.secret_names())


def _container(raw: dict[str, Any]) -> dict[str, Any]:
    """Lists that a template left null are empty."""
    return {key: value for key, value in raw.items() if value is not None}


def service_settings(service: Resource, evidence: Evidence) -> ServiceSettings:
    """Network, ways in, patience; ids that are not known yet are the addresses of what they name."""
    for name in ("network_configuration", "deployment_circuit_breaker", "load_balancer"):
        known(service, name)
    if service.get("network_configuration", 0, "assign_public_ip") is UNKNOWN:
        raise NotKnown(service.address, "assign_public_ip")
    network = next(iter(service.blocks("network_configuration")), {})
    breaker = next(iter(service.blocks("deployment_circuit_breaker")), {})
    return ServiceSettings(
        name=service.text("name"),
        task_definition=service.text("task_definition"),
        desired=number(service.get("desired_count") if service.get("desired_count") is not UNKNOWN else 1),
        grace=number(known(service, "health_check_grace_period_seconds")),
        subnets=tuple(_named(evidence, service, network.get("subnets"), "aws_subnet", "subnets")),
        groups=tuple(_named(evidence, service, network.get("security_groups"), "aws_security_group", "groups")),
        public_ip=bool(network.get("assign_public_ip")),
        ways=tuple(
            LoadBalancerBinding("", str(one.get("container_name", "")), number(one.get("container_port")))
            for one in service.blocks("load_balancer")
        ),
        breaker=bool(breaker.get("enable")),
        rollback=breaker.get("rollback") is True,
    )


def is_on_fargate(service: Resource) -> bool:
    """Whether AWS chooses the machines; true also while neither launch type nor providers are known."""
    providers = [str(one.get("capacity_provider")) for one in service.blocks("capacity_provider_strategy")]
    if providers:
        return all(one in ("FARGATE", "FARGATE_SPOT") for one in providers)
    return service.text("launch_type") in ("", "FARGATE")


def _named(evidence: Evidence, service: Resource, said: Any, kind: str, argument: str) -> Iterator[str]:
    """Ids, as they are or as the addresses of the resources they name."""
    if isinstance(said, list) and all(isinstance(one, str) for one in said):
        yield from said
        return
    attribute = "security_groups" if argument == "groups" else argument
    met = references.targets(evidence.blueprint, service, kind, "network_configuration", 0, attribute)
    yield from (one.address for one in met.any)


def health_check(group: Resource) -> HealthCheck:
    """A target group's health check with AWS's own defaults."""
    known(group, "health_check")
    return _checked(group, next(iter(group.blocks("health_check")), {}))


def planned_health_check(group: Resource, evidence: Evidence) -> HealthCheck:
    """The same; of a group whose configuration says nothing of it AWS's defaults are known before it is made."""
    if group.get("health_check") is UNKNOWN and not references.says(evidence.blueprint, group, "health_check"):
        return _checked(group, UNSAID)
    return health_check(group)


def _checked(group: Resource, said: Mapping[str, Any]) -> HealthCheck:
    if any(said.get(name) is UNKNOWN for name in ("path", "port", "interval", "unhealthy_threshold")):
        raise NotKnown(group.address, "health_check")
    return HealthCheck(
        target_group="",
        path=said.get("path") or "/",
        port=str(said.get("port") or "traffic-port"),
        matcher=str(said.get("matcher") or ""),
        interval=number(said.get("interval") or 30),
        timeout=number(said.get("timeout") or 5),
        healthy=number(said.get("healthy_threshold") or 3),
        unhealthy=number(said.get("unhealthy_threshold") or 3),
    )


def redis_state(group: Resource, *, token: bool) -> RedisState:
    """A replication group; `token`: its token is set outside Terraform."""
    own = group.get("auth_token")
    host = group.text("primary_endpoint_address") or group.text("configuration_endpoint_address")
    return RedisState(
        group.text("replication_group_id") or group.name,
        "available",
        tls=bool(known(group, "transit_encryption_enabled")),
        auth=token or bool(own),
        host=host,
        port=number(group.get("port")) if group.get("port") is not UNKNOWN else 0,
    )


@dataclass(frozen=True, slots=True)
class KnownRules:
    """A security group with the rules that are surely its own; `complete`: there are no others that may be."""

    group: SecurityGroup
    complete: bool


def doors(evidence: Evidence, group: Resource) -> KnownRules:
    """The group's rules, wherever they are written."""
    rules = [rule for one in group.blocks("ingress") for rule in _inline(one)]
    complete = group.new if group.get("ingress") is UNKNOWN else not _open_questions(group.get("ingress"))
    for kind in ("aws_vpc_security_group_ingress_rule", "aws_security_group_rule"):
        met = references.referrers(evidence.blueprint, group, kind, "security_group_id")
        rules += [rule for one in met.sure if _lets_in(one) for rule in _rule(evidence, one)]
        complete = complete and not any(map(_lets_in, met.maybe))
    found = SecurityGroup(group.text("id") or group.address, group.text("name"), group.text("vpc_id"), tuple(rules))
    return KnownRules(found, complete)


def _open_questions(value: Any) -> bool:
    """Whether anything in it is not known."""
    if isinstance(value, Mapping):
        return any(map(_open_questions, value.values()))
    return any(map(_open_questions, value)) if isinstance(value, list) else value is UNKNOWN


def _lets_in(rule: Resource) -> bool:
    return rule.type != "aws_security_group_rule" or rule.text("type") == "ingress"


def _inline(one: Mapping[str, Any]) -> Iterable[SecurityRule]:
    if str(one.get("protocol", "-1")) in _TCP:
        sources = [*texts_in(one.get("cidr_blocks")), *texts_in(one.get("security_groups"))]
        yield _opened(one.get("protocol"), one.get("from_port"), one.get("to_port"), sources)


def _rule(evidence: Evidence, one: Resource) -> Iterable[SecurityRule]:
    protocol = one.get("ip_protocol") or one.get("protocol")
    if str(protocol) not in _TCP:
        return
    sources = [one.text("cidr_ipv4"), one.text("cidr_ipv6"), *texts_in(one.get("cidr_blocks"))]
    for attribute in ("referenced_security_group_id", "source_security_group_id"):
        if one.get(attribute) is not None:
            met = references.targets(evidence.blueprint, one, "aws_security_group", attribute)
            sources += [it.text("id") or it.address for it in met.any]
            sources += [one.text(attribute)] if one.text(attribute) else []
    yield _opened(protocol, one.get("from_port"), one.get("to_port"), sources)


def _opened(protocol: Any, first: Any, last: Any, sources: list[str]) -> SecurityRule:
    found = tuple(one for one in sources if one)
    if str(protocol) in ("-1", "all") or first is None:
        return SecurityRule(ANY, ANY, found)
    return SecurityRule(number(first), number(last), found)
