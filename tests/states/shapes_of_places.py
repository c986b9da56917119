"""More shapes of public stacks: partitions, capitals, several balancers. What is expected of each: shapes/NAME.json."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.states.parts import (
    BALANCER,
    HOST,
    REGION,
    Part,
    arn,
    aurora,
    balancer,
    container,
    definition,
    forward,
    group,
    group_arn,
    part,
    record,
    server,
    service,
    state,
)
from tests.states.shapes_of_databases import DJANGO, PASSWORD, told
from tests.states.shapes_of_ways import APP, moved, only, tenant


def elsewhere(document: Any, partition: str, region: str, domain: str = "amazonaws.com") -> Any:
    """The same stack in another partition."""
    text = json.dumps(document).replace("arn:aws:", f"arn:{partition}:").replace(REGION, region)
    return json.loads(text.replace("amazonaws.com", domain))


def second(name: str) -> list[Part]:
    """Another balancer with a listener that forwards to the group of this name."""
    made = arn("elasticloadbalancing", f"loadbalancer/app/{name}/000000000000000a")
    dns = f"{name}-2.{REGION}.elb.amazonaws.com"
    return [
        part(f"aws_lb.{name}", name=name, arn=made, dns_name=dns, zone_id="Z32O12XQLNTSW2"),
        part(
            f"aws_lb_listener.{name}",
            arn=arn("elasticloadbalancing", f"listener/app/{name}/000000000000000a/000000000000000b"),
            load_balancer_arn=made, port=443, protocol="HTTPS", default_action=[forward(name)],
        ),
    ]  # fmt: skip


CAPITALS = f"Shop-Prod-ALB-1.{REGION}.elb.amazonaws.com"
NETWORK = arn("elasticloadbalancing", "loadbalancer/net/edge/000000000000000c")
EDGE = f"edge-3.elb.{REGION}.amazonaws.com"

PLACES: Mapping[str, Any] = {
    "tenants-in-govcloud": elsewhere(
        only(
            tenant(1, "North.example.com", "North"),
            tenant(2, "south.example.com", "South"),
            record('aws_route53_record.tenant["North"]', fqdn="north.example.com"),
            record('aws_route53_record.tenant["South"]', fqdn="south.example.com"),
        ),
        "aws-us-gov",
        "us-gov-west-1",
    ),
    "aurora-in-ningxia": elsewhere(
        state(server=aurora(), definition=told({**DJANGO, "DB_HOST": aurora()["values"]["endpoint"]})),
        "aws-cn",
        "cn-northwest-1",
        "amazonaws.com.cn",
    ),
    "balancer-in-capitals-with-ipv6": state(
        balancer=moved(balancer("data.aws_alb.main"), "data.aws_alb.main", dns_name=CAPITALS),
        definition=APP,
        record=[
            record(name="Shop", fqdn="Shop.example.com.", alias=[{"name": f"dualstack.{CAPITALS.lower()}."}]),
            record("aws_route53_record.v6", type="AAAA", alias=[{"name": f"dualstack.{CAPITALS.lower()}"}]),
        ],
    ),
    "network-balancer-before-the-balancer": state(
        definition=APP,
        record=record(alias=[{"name": EDGE}]),
        more=[
            part(
                "aws_lb.edge",
                name="edge",
                load_balancer_type="network",
                arn=NETWORK,
                dns_name=EDGE,
                zone_id="Z2IFOLAFXWLO4F",
            ),
            part(
                "aws_lb_target_group.edge",
                name="edge",
                arn=group_arn("edge"),
                target_type="alb",
                port=443,
                protocol="TCP",
            ),
            part(
                "aws_lb_target_group_attachment.edge",
                target_group_arn=group_arn("edge"),
                target_id=balancer()["values"]["arn"],
                port=443,
            ),
            part(
                "aws_lb_listener.edge",
                arn=arn("elasticloadbalancing", "listener/net/edge/000000000000000c/000000000000000d"),
                load_balancer_arn=NETWORK,
                port=443,
                protocol="TCP",
                default_action=[forward("edge")],
            ),
        ],
    ),
    "server-named-in-capitals": state(definition=told({**DJANGO, "DB_HOST": HOST.upper() + "."})),
    "cluster-in-capitals-counted": state(
        cluster=part("data.aws_ecs_cluster.main[0]", cluster_name="Shop-PROD", arn=arn("ecs", "cluster/Shop-PROD")),
        service=service(cluster="Shop-PROD"),
        definition=APP,
    ),
    "a-balancer-more-for-partners": only(
        tenant(1, "a.example.com"),
        moved(service("s2", "b2b"), "module.b2b.aws_ecs_service.this"),
        moved(
            definition(
                container({"POSTGRES_HOST": HOST, "POSTGRES_DB": "d2", "POSTGRES_USER": "d2"}, secrets=PASSWORD),
                family="s2",
            ),
            "module.b2b.aws_ecs_task_definition.this",
        ),
        group("b2b"),
        second("b2b"),
        record("aws_route53_record.a", fqdn="a.example.com"),
        record(
            "module.b2b.aws_route53_record.this",
            fqdn="partners.example.com",
            alias=[{"name": f"b2b-2.{REGION}.elb.amazonaws.com"}],
        ),
    ),
    "logs-by-firelens": state(
        definition=definition(
            container(
                DJANGO,
                secrets=PASSWORD,
                logs="",
                logConfiguration={
                    "logDriver": "awsfirelens",
                    "options": {"Name": "cloudwatch", "log_group_name": "/ecs/app"},
                },
            ),
            container(
                {},
                "log_router",
                "public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32",
                port=0,
                logs="/ecs/firelens",
                firelensConfiguration={"type": "fluentbit"},
            ),
        )
    ),
    "multi-az-cluster-by-its-reader": state(
        server=aurora("maz", engine="postgres"),
        definition=told(
            {
                **DJANGO,
                "DB_HOST": f"maz.cluster-ro-abc.{REGION}.rds.amazonaws.com",
                "DB_PRIMARY_HOST": f"maz.cluster-abc.{REGION}.rds.amazonaws.com",
            }
        ),
    ),
    "worker-of-a-second-server": state(
        definition=[
            APP,
            definition(
                container(
                    {**DJANGO, "DB_HOST": f"reports.abc.{REGION}.rds.amazonaws.com"},
                    "jobs",
                    secrets=PASSWORD,
                    port=0,
                    logs="/ecs/jobs",
                ),
                family="jobs",
            ),
        ],
        server=[server(), server("reports", "module.reports.aws_db_instance.this[0]")],
        service=[service(), service("jobs", "")],
    ),
    "cloudfront-in-capitals": state(
        definition=APP,
        record=record(alias=[{"name": "d111abc.cloudfront.net."}]),
        more=part(
            "module.cdn.aws_cloudfront_distribution.this[0]",
            aliases=["Shop.Example.com"],
            domain_name="d111abc.cloudfront.net",
            arn="arn:aws:cloudfront::111122223333:distribution/E1",
            origin=[{"domain_name": BALANCER, "origin_id": "alb"}],
        ),
    ),
}
