"""Shapes of other people's stacks: what is known of each, and what is asked, though something looks like an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference import Inferred
from orchestrator.stack.inference.mapping import dotted
from tests.states.parts import (
    BALANCER,
    HOST,
    REGION,
    SAID,
    arn,
    aurora,
    container,
    definition,
    group,
    group_arn,
    listener,
    part,
    record,
    rule,
    server,
    service,
    state,
)
from tests.unit.stack.inference.test_evidence import excused, is_said, said_at
from tests.unit.stack.inference.test_states import understood

PAIR = [group("blue"), group("green")]
WEIGHTS = [{"arn": group_arn("blue"), "weight": 0}, {"arn": group_arn("green"), "weight": 100}]
CHANGES_TO_GREEN = {
    "target_group_arn": group_arn("blue"),
    "container_name": "web",
    "container_port": 8080,
    "advanced_configuration": [{"alternate_target_group_arn": group_arn("green")}],
}
DEPLOYMENTS = part(
    "aws_codedeploy_deployment_group.web",
    ecs_service=[{"cluster_name": "shop", "service_name": "web"}],
    load_balancer_info=[{"target_group_pair_info": [{"target_group": [{"name": "blue"}, {"name": "green"}]}]}],
)
TASK_SET = part(
    "aws_ecs_task_set.web",
    service="web",
    cluster="shop",
    task_definition=arn("ecs", "task-definition/web:1"),
    load_balancer=[{"target_group_arn": group_arn("web"), "container_name": "web", "container_port": 8080}],
)
ENTRANCES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "CodeDeploy has changed to green": (
        {
            "group": PAIR,
            "listener": listener("green"),
            "service": service(to="blue", deployment_controller=[{"type": "CODE_DEPLOY"}]),
            "more": DEPLOYMENTS,
        },
        {"tenants.web.target_group_arn": (group_arn("green"), "aws_lb_listener.https: default_action")},
    ),
    "ECS's own blue/green has changed to green": (
        {"group": PAIR, "listener": listener("green"), "service": service(load_balancer=[CHANGES_TO_GREEN])},
        {"tenants.web.target_group_arn": (group_arn("green"), "aws_lb_listener.https: default_action")},
    ),
    "a group without weight gets no visitors": (
        {
            "group": PAIR,
            "listener": listener(""),
            "service": service(load_balancer=[CHANGES_TO_GREEN]),
            "more": rule("web", "shop.example.com", action=[{"forward": [{"target_group": WEIGHTS}]}]),
        },
        {"tenants.web.target_group_arn": (group_arn("green"), "aws_lb_listener_rule.web: action")},
    ),
    "an external controller's task set": (
        {"service": service(to="", task_definition="", deployment_controller=[{"type": "EXTERNAL"}]), "more": TASK_SET},
        {
            "tenants.web.target_group_arn": (group_arn("web"), "aws_lb_listener.https: default_action"),
            "tenants.web.database": ("shop", "aws_ecs_task_definition.web: POSTGRES_DB"),
        },
    ),
    "a condition of provider 2": (
        {
            "listener": listener(""),
            "record": None,
            "more": rule("web", condition=[{"field": "host-header", "values": ["Shop.Example.com."]}]),
        },
        {"tenants.web.hostname": ("shop.example.com", "aws_lb_listener_rule.web: condition")},
    ),
}
CERTIFIED = part("aws_acm_certificate.c", domain_name="*.example.com", arn=arn("acm", "certificate/1"))


def told(image: str = "registry.example/web:1.2.3", **more: str) -> dict[str, Any]:
    return definition(container({**SAID, **more}, image=image))


ELSEWHERE: dict[str, Any] = {"alias": [], "type": "CNAME", "records": ["other-1.elb.example.net"]}
OTHER = part(
    "aws_lb.other", arn=arn("elasticloadbalancing", "loadbalancer/app/o/1"), dns_name="other-1.elb.example.net"
)
NAMES: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "the record, not the domain of cookies": (
        {
            "definition": told(DOMAIN="example.com"),
            "more": part("aws_acm_certificate.c", domain_name="example.com", arn=arn("acm", "certificate/1")),
        },
        {"tenants.web.hostname": ("shop.example.com", "aws_route53_record.site: fqdn")},
    ),
    "DOMAIN under a wildcard's record": (
        {
            "definition": told(DOMAIN="shop.example.com"),
            "record": record(fqdn="*.example.com"),
            "more": record("aws_route53_record.apex", fqdn="example.com"),
        },
        {"tenants.web.hostname": ("shop.example.com", "aws_ecs_task_definition.web: DOMAIN")},
    ),
    "Onyx's WEB_DOMAIN, whatever else leads there": (
        {"definition": told("onyxdotapp/onyx-backend:v2.3.1", WEB_DOMAIN="https://a.example.net")},
        {"tenants.web.hostname": ("a.example.net", "aws_ecs_task_definition.web: WEB_DOMAIN")},
    ),
    "a CDN's alias": (
        {
            "record": record(alias=[{"name": "d1.cloudfront.net"}]),
            "more": part(
                "aws_cloudfront_distribution.cdn", aliases=["Shop.example.com"], origin=[{"domain_name": BALANCER}]
            ),
        },
        {
            "tenants.web.hostname": ("shop.example.com", "aws_cloudfront_distribution.cdn: aliases"),
            "dns.provider": None,
        },
    ),
    "the name that visitors ask for, not the one that it leads on to": (
        {
            "record": record(alias=[], type="CNAME", records=["lb.example.com"]),
            "more": record("aws_route53_record.lb", fqdn="lb.example.com"),
        },
        {"tenants.web.hostname": ("shop.example.com", "aws_route53_record.site: fqdn")},
    ),
    "a record of OVH's": (
        {"record": part("ovh_domain_zone_record.s", zone="example.com", subdomain="shop", target=f"{BALANCER}.")},
        {
            "tenants.web.hostname": (
                "shop.example.com",
                "ovh_domain_zone_record.s: subdomain, ovh_domain_zone_record.s: zone",
            )
        },
    ),
    "a TXT record is no way to the site": (
        {
            "definition": told(WEB_DOMAIN="https://shop.example.com"),
            "record": record(type="TXT", alias=[], records=["v=spf1 -all"]),
            "more": part("aws_route53_zone.z", name="example.com", arn="arn:aws:route53:::hostedzone/Z1"),
        },
        {
            "dns.provider": ("route53", "aws_route53_zone.z: arn"),
            "dns.zone": ("example.com", "aws_route53_zone.z: name"),
        },
    ),
    "the one name of a balancer whose services are told apart by path alone": (
        {
            "group": [group(), group("api")],
            "definition": [definition(container({"API_URL": "/api"})), definition(family="api")],
            "service": [service(), service("api", to="api")],
            "more": rule("api", condition=[{"path_pattern": [{"values": ["/api/*"]}]}]),
        },
        {"tenants.api.hostname": ("shop.example.com", "aws_route53_record.site: fqdn"), "tenants.web.hostname": None},
    ),
    "no name where a rule beside it asks for a host": (
        {
            "group": [group(), group("api")],
            "definition": [definition(), definition(family="api")],
            "service": [service(), service("api", to="api")],
            "more": rule("api", "api.example.com"),
        },
        {
            "tenants.api.hostname": ("api.example.com", "aws_lb_listener_rule.api: condition"),
            "tenants.web.hostname": None,
        },
    ),
    "nor is a record of a private zone": (
        {
            "definition": told(WEB_DOMAIN="https://shop.example.com"),
            "record": record(zone_id="ZP"),
            "more": [
                part("aws_route53_zone.p", name="example.com", zone_id="ZP", vpc=[{"vpc_id": "vpc-1"}]),
                part("aws_route53_zone.z", name="example.com", zone_id="Z1", arn="arn:aws:route53:::hostedzone/Z1"),
            ],
        },
        {"dns.provider": ("route53", "aws_route53_zone.z: zone_id")},
    ),
}
GLOBAL = "shop.global-xyz.global.rds.amazonaws.com"
REPLICA = f"shop-ro.abc.{REGION}.rds.amazonaws.com"
WITHOUT_HOST = {key: value for key, value in SAID.items() if key != "POSTGRES_HOST"}


def stored(value: str, **more: str) -> dict[str, Any]:
    secrets = {"POSTGRES_HOST": "/shop/host", **more}
    said = {key: value for key, value in WITHOUT_HOST.items() if key not in secrets}
    held = [("host", value), ("name", "shop_live")]
    parameters = [
        part(f"aws_ssm_parameter.{name}", arn=arn("ssm", f"parameter/shop/{name}"), type="String", value=one)
        for name, one in held
    ]
    return {"definition": definition(container(said, secrets=secrets)), "more": parameters}


DISCOVERED = [
    part("aws_service_discovery_private_dns_namespace.n", id="ns-1", name="shop.local"),
    part("aws_service_discovery_service.db", id="srv-1", name="db", dns_config=[{"namespace_id": "ns-1"}]),
    part("aws_service_discovery_instance.db", service_id="srv-1", attributes={"AWS_INSTANCE_CNAME": HOST}),
]
SERVERS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
    "a host in a parameter": (
        stored(HOST, POSTGRES_DB="/shop/name"),
        {
            "database.instance": ("shop-db", "aws_db_instance.main: identifier"),
            "tenants.web.database": ("shop_live", "aws_ssm_parameter.name: value"),
        },
    ),
    "a name of Cloud Map": (
        {"definition": told(POSTGRES_HOST="db.shop.local"), "more": DISCOVERED},
        {
            "database.instance": ("shop-db", "aws_db_instance.main: identifier"),
            "database.aliases": (["db.shop.local"], "aws_service_discovery_service.db: name"),
        },
    ),
    "a replica": (
        {
            "definition": told(POSTGRES_HOST=REPLICA),
            "server": [server(), server("shop-ro", "aws_db_instance.ro", replicate_source_db=arn("rds", "db:shop-db"))],
        },
        {
            "database.instance": ("shop-db", "aws_db_instance.main: identifier"),
            "database.aliases": ([REPLICA], "aws_db_instance.ro: address"),
        },
    ),
    "a global database": (
        {
            "definition": told(POSTGRES_HOST=GLOBAL),
            "server": [
                aurora(global_cluster_identifier="shop"),
                part("aws_rds_global_cluster.g", global_cluster_identifier="shop", endpoint=GLOBAL),
            ],
        },
        {
            "database.cluster": ("shop-au", "aws_rds_cluster.main: cluster_identifier"),
            "database.aliases": ([GLOBAL], "aws_rds_global_cluster.g: endpoint"),
        },
    ),
    "an IPv6 address with its port": (
        {"definition": told(POSTGRES_HOST="[FD00:ec2::7]:5433"), "server": None},
        {
            "database.host": ("fd00:ec2::7", "aws_ecs_task_definition.web: POSTGRES_HOST"),
            "database.port": (5433, "aws_ecs_task_definition.web: POSTGRES_HOST"),
        },
    ),
    "an instance's IPv6 address": (
        {
            "definition": told(POSTGRES_HOST="fd00:ec2::7"),
            "server": None,
            "more": part("aws_instance.db", id="i-0abc1234def567890", ipv6_addresses=["fd00:ec2::7"]),
        },
        {"database.host": ("fd00:ec2::7", "aws_instance.db: ipv6_addresses")},
    ),
    "containers whose keys begin with capitals": (
        {
            "definition": definition(
                container_definitions=json.dumps(
                    [
                        {
                            "Name": "web",
                            "Image": "registry.example/web:1",
                            "PortMappings": [{"ContainerPort": 8080}],
                            "Environment": [{"Name": key, "Value": value} for key, value in SAID.items()],
                            "LogConfiguration": {"LogDriver": "awslogs", "Options": {"awslogs-group": "/ecs/web"}},
                        }
                    ]
                )
            )
        },
        {
            "tenants.web.database": ("shop", "aws_ecs_task_definition.web: POSTGRES_DB"),
            "tenants.web.log_group": ("/ecs/web", "aws_ecs_task_definition.web: awslogs-group"),
        },
    ),
    "the application's words, not those of what watches its database": (
        {
            "definition": definition(
                container({"DB_HOST": HOST, "DB_NAME": "shop", "DB_USER": "shop"}),
                container({"POSTGRES_HOST": "watched.example.net", "POSTGRES_DB": "x"}, name="exporter", port=9187),
            )
        },
        {"database.instance": ("shop-db", "aws_db_instance.main: identifier"), "tenants.web.database": None},
    ),
    "the log group of FireLens": (
        {
            "definition": definition(
                container(
                    SAID,
                    logs="",
                    logConfiguration={"logDriver": "awsfirelens", "options": {"log_group_name": "/ecs/web"}},
                ),
                container(name="log_router", logs="/ecs/fluent-bit", port=0),
            )
        },
        {"tenants.web.log_group": ("/ecs/web", "aws_ecs_task_definition.web: log_group_name")},
    ),
    "no log group where only a sidecar has one": (
        {"definition": definition(container(SAID, logs=""), container(name="envoy", logs="/ecs/envoy", port=0))},
        {"tenants.web.log_group": (None, "aws_ecs_task_definition.web")},
    ),
    "no certificate where IAM's is shown": (
        {"listener": listener(certificate_arn="arn:aws:iam::111122223333:server-certificate/shop")},
        {"certificate.arn": None},
    ),
}
KNOWN = {**ENTRANCES, **NAMES, **SERVERS}


def values(seen: Inferred) -> dict[str, tuple[Any, str]]:
    return {dotted(key): (one.value, one.source) for key, one in seen.found.items()}


@pytest.mark.parametrize("shape", KNOWN)
def test_what_is_known(shape: str) -> None:
    parts, wanted = KNOWN[shape]
    document = state(**parts)
    seen = understood(document, {})
    found = values(seen)
    assert {key: found.get(key) for key in wanted} == wanted
    whole = states.read(document)
    for key, one in seen.found.items():
        if not excused(key, one):
            assert is_said(key, one.value, said_at(one.source, whole)), (key, one)
