"""Parts of a state in the wild, to be put together: one stack of another application, and what differs from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

REGION, ACCOUNT = "eu-west-1", "111122223333"
HOST = f"shop-db.abc.{REGION}.rds.amazonaws.com"
BALANCER = f"shop-1.{REGION}.elb.amazonaws.com"
SAID = {
    "POSTGRES_HOST": HOST,
    "POSTGRES_DB": "shop",
    "POSTGRES_USER": "shop",
    "POSTGRES_PASSWORD": "not-a-secret",
}
Part = dict[str, Any]


def arn(service: str, rest: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


LISTENER = arn("elasticloadbalancing", "listener/app/shop/0000000000000001/0000000000000002")
LOAD_BALANCER = arn("elasticloadbalancing", "loadbalancer/app/shop/0000000000000001")


def part(at: str, **values: Any) -> Part:
    """A resource, or a data source, at this address."""
    *_, kind, name = at.partition("[")[0].split(".")
    mode = "data" if "data." in at else "managed"
    common = {"provider_name": "registry.terraform.io/hashicorp/aws", "schema_version": 0, "sensitive_values": {}}
    return {"address": at, "mode": mode, "type": kind, "name": name, **common, "values": values}


def cluster(name: str = "shop", at: str = "aws_ecs_cluster.main") -> Part:
    return part(at, name=name, arn=arn("ecs", f"cluster/{name}"), id=arn("ecs", f"cluster/{name}"))


def balancer(at: str = "aws_lb.main", **more: Any) -> Part:
    return part(at, name="shop", arn=LOAD_BALANCER, dns_name=BALANCER, zone_id="Z32O12XQLNTSW2", **more)


def group_arn(name: str) -> str:
    return arn("elasticloadbalancing", f"targetgroup/{name}/0000000000000003")


def forward(group: str) -> Part:
    return {"type": "forward", "target_group_arn": group_arn(group)}


def listener(group: str = "web", at: str = "aws_lb_listener.https", **more: Any) -> Part:
    certificate = arn("acm", "certificate/00000000-0000-0000-0000-000000000001")
    action = forward(group) if group else {"type": "fixed-response"}
    said = {"port": 443, "protocol": "HTTPS", "certificate_arn": certificate, "default_action": [action], **more}
    return part(at, arn=LISTENER, load_balancer_arn=LOAD_BALANCER, **said)


def rule(group: str, *hosts: str, at: str = "", **more: Any) -> Part:
    said = {"action": [forward(group)], "condition": [{"host_header": [{"values": list(hosts)}]}], **more}
    return part(at or f"aws_lb_listener_rule.{group}", listener_arn=LISTENER, priority=10, **said)


def group(name: str = "web", at: str = "", **check: Any) -> Part:
    patience = {"interval": 60, "timeout": 30, "healthy_threshold": 2, "unhealthy_threshold": 10}
    checks = {"path": "/healthz", "port": "traffic-port", "matcher": "200", **patience, **check}
    return part(at or f"aws_lb_target_group.{name}", name=name, arn=group_arn(name), port=8080, health_check=[checks])


def server(name: str = "shop-db", at: str = "aws_db_instance.main", **more: Any) -> Part:
    address = f"{name}.abc.{REGION}.rds.amazonaws.com"
    said = {
        "identifier": name, "address": address, "endpoint": f"{address}:5432", "port": 5432, "engine": "postgres",
        "username": "shop_admin", "instance_class": "db.t4g.medium", "vpc_security_group_ids": ["sg-db"],
        "master_user_secret": [{"secret_arn": arn("secretsmanager", f"secret:rds!db-{name}-AbCdEf")}],
    }  # fmt: skip
    return part(at, **{**said, **more})


def aurora(name: str = "shop-au", at: str = "aws_rds_cluster.main", **more: Any) -> Part:
    said = {
        "cluster_identifier": name, "endpoint": f"{name}.cluster-abc.{REGION}.rds.amazonaws.com", "port": 5432,
        "reader_endpoint": f"{name}.cluster-ro-abc.{REGION}.rds.amazonaws.com", "engine": "aurora-postgresql",
        "master_username": "shop_admin", "vpc_security_group_ids": ["sg-db"],
        "master_user_secret": [{"secret_arn": arn("secretsmanager", f"secret:rds!cluster-{name}-AbCdEf")}],
    }  # fmt: skip
    return part(at, **{**said, **more})


def container(
    said: Mapping[str, str] | None = None,
    name: str = "web",
    image: str = "registry.example/web:1.2.3",
    secrets: Mapping[str, str] | None = None,
    logs: str = "/ecs/web",
    port: int = 8080,
    **more: Any,
) -> Part:
    options = {"awslogs-group": logs, "awslogs-region": REGION}
    logging = {"logConfiguration": {"logDriver": "awslogs", "options": options}} if logs else {}
    return {
        "name": name,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": port}] if port else [],
        "environment": [{"name": key, "value": value} for key, value in (said or {}).items()],
        "secrets": [{"name": key, "valueFrom": value} for key, value in (secrets or {}).items()],
        **logging,
        **more,
    }


def definition(*containers: Part, family: str = "web", at: str = "", **more: Any) -> Part:
    held = json.dumps(list(containers) or [container(SAID)])
    said = {"cpu": "1024", "memory": "2048", "network_mode": "awsvpc", "container_definitions": held, **more}
    name = arn("ecs", f"task-definition/{family}")
    where = at or f"aws_ecs_task_definition.{family}"
    return part(where, family=family, arn=f"{name}:1", arn_without_revision=name, **said)


def service(name: str = "web", to: str = "web", at: str = "", **more: Any) -> Part:
    way = {"target_group_arn": group_arn(to), "container_name": "web", "container_port": 8080}
    said = {
        "cluster": arn("ecs", "cluster/shop"), "task_definition": arn("ecs", f"task-definition/{name}:1"),
        "desired_count": 1, "launch_type": "FARGATE", "health_check_grace_period_seconds": 600,
        "load_balancer": [way] if to else [],
        "network_configuration": network("subnet-1"),
        "deployment_circuit_breaker": [{"enable": True, "rollback": False}],
    }  # fmt: skip
    return part(at or f"aws_ecs_service.{name}", name=name, **{**said, **more})


def network(*subnets: str, public: bool = False) -> list[Part]:
    return [{"subnets": list(subnets), "security_groups": ["sg-1"], "assign_public_ip": public}]


def record(at: str = "aws_route53_record.site", **more: Any) -> Part:
    said = {"fqdn": "shop.example.com", "name": "shop", "type": "A", "alias": [{"name": BALANCER}], **more}
    return part(at, **said)


def state(**parts: Part | Sequence[Part] | None) -> Any:
    """`terraform show -json` of the stack, with these parts in place of its own (None: without); others are added."""
    whole: dict[str, Any] = {
        "cluster": cluster(), "balancer": balancer(), "listener": listener(), "group": group(), "server": server(),
        "definition": definition(), "service": service(), "record": record(), **parts,
    }  # fmt: skip
    held = [one if isinstance(one, list) else [one] for one in whole.values() if one]
    resources = [one for some in held for one in some]
    root = {"resources": resources}
    return {"format_version": "1.0", "terraform_version": "1.11.4", "values": {"outputs": {}, "root_module": root}}
