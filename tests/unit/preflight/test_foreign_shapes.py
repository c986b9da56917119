"""Shapes that other people's stacks have, and in which nothing is wrong: no blocker, and no warning without ground."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator import preflight
from orchestrator.app import checklist
from orchestrator.engine.check import Severity
from orchestrator.preflight import Checklist
from tests.states.parts import (
    BALANCER,
    HOST,
    LISTENER,
    REGION,
    SAID,
    arn,
    aurora,
    balancer,
    container,
    definition,
    group,
    listener,
    network,
    part,
    record,
    rule,
    server,
    service,
    state,
)
from tests.unit.preflight.test_foreign_states import as_plan

ONYX = "onyxdotapp/onyx-backend:v2.3.1"
TOLD = {**SAID, "POSTGRES_PASSWORD": ""}
"""Without what would rightly be warned of: the password in clear."""
SECRET = {"POSTGRES_PASSWORD": arn("secretsmanager", "secret:shop-AbCdEf:password::")}
OF_ONYX = {"DISABLE_MODEL_SERVER": "true", "S3_FILE_STORE_BUCKET_NAME": "shop-files", "AWS_REGION_NAME": REGION}
CACHE = "cache.amazonaws.com"


def told(image: str = "registry.example/web:1.2.3", **more: str) -> dict[str, Any]:
    return definition(container({**TOLD, **more}, image=image, secrets=SECRET))


def onyx(**more: str) -> dict[str, Any]:
    return told(ONYX, **OF_ONYX, **{"REDIS_PASSWORD": "", **more})


def alarms(document: Any) -> list[str]:
    evidence = checklist.evidence_of(as_plan(document))
    found = preflight.examine(evidence, (Checklist.DEPLOY, Checklist.AFTER))
    return [f"{one.severity} {one.code}" for one in found if one.severity in (Severity.BLOCKER, Severity.WARNING)]


def test_the_stack_that_they_differ_from_has_no_alarm_itself() -> None:
    assert alarms(state(definition=told())) == []


CUSTOM = f"app.cluster-custom-abc.{REGION}.rds.amazonaws.com"
MEMBER = f"shop-au-1.abc.{REGION}.rds.amazonaws.com"
POOL = f"pool.proxy-abc.{REGION}.rds.amazonaws.com"
DATABASES: Mapping[str, Any] = {
    "a custom endpoint of Aurora": {
        "server": [
            aurora(),
            part("aws_rds_cluster_endpoint.app", cluster_identifier="shop-au", endpoint=CUSTOM),
        ],
        "definition": onyx(POSTGRES_HOST=CUSTOM, REDIS_HOST="redis"),
    },
    "a member of a cluster": {
        "server": [
            aurora(),
            part("aws_rds_cluster_instance.a", cluster_identifier="shop-au", endpoint=MEMBER, writer=True),
        ],
        "definition": onyx(POSTGRES_HOST=MEMBER, REDIS_HOST="redis"),
    },
    "a proxy's own endpoint": {
        "more": [
            part("aws_db_proxy.pool", name="pool", endpoint=POOL),
            part("aws_db_proxy_target.t", db_proxy_name="pool", db_instance_identifier="shop-db"),
        ],
        "definition": onyx(POSTGRES_HOST=POOL, REDIS_HOST="redis"),
    },
    "capitals and a last dot": {"definition": onyx(POSTGRES_HOST=f"{HOST.upper()}.", REDIS_HOST="redis")},
    "a record of a private zone": {
        "more": record("aws_route53_record.db", fqdn="db.shop.internal", type="CNAME", alias=[], records=[HOST]),
        "definition": onyx(POSTGRES_HOST="db.shop.internal", REDIS_HOST="redis"),
    },
    "a host elsewhere, beside a server that is another application's": {
        "server": server("crm"),
        "definition": onyx(POSTGRES_HOST="pg.partner.example.net", REDIS_HOST="redis"),
    },
    "a server that is looked up, beside one that is managed": {
        "server": [server("crm"), server("shop-db", "data.aws_db_instance.shared", db_instance_identifier="shop-db")],
        "definition": onyx(REDIS_HOST="redis"),
    },
    "a pooler in the same task": {
        "definition": definition(
            container(
                {**TOLD, **OF_ONYX, "POSTGRES_HOST": "localhost", "POSTGRES_PORT": "6432", "REDIS_HOST": "redis"},
                image=ONYX,
                secrets=SECRET,
            ),
            container({"DB_HOST": HOST}, name="pool", image="edoburu/pgbouncer:1.22", port=6432),
        )
    },
    "an IPv6 address": {"server": None, "definition": onyx(POSTGRES_HOST="fd00:ec2::7", REDIS_HOST="redis")},
    "the port in the host, of an application that takes it so": {"definition": told(POSTGRES_HOST=f"{HOST}:5432")},
    "another application's words for the name": {
        "definition": definition(
            container({"POSTGRES_HOST": HOST, "POSTGRES_DATABASE": "shop", "POSTGRES_USER": "shop"}, secrets=SECRET)
        )
    },
}


def redis(name: str = "jobs", **more: Any) -> dict[str, Any]:
    host = f"master.{name}.abc.euw1.{CACHE}"
    said = {"replication_group_id": name, "primary_endpoint_address": host, "port": 6379, **more}
    return part(f"aws_elasticache_replication_group.{name}", transit_encryption_enabled=True, auth_token=None, **said)


JOBS = f"master.jobs.abc.euw1.{CACHE}"
SHARED = f"master.shared.abc.euw1.{CACHE}"
CACHES: Mapping[str, Any] = {
    "by a URL": {"more": redis(), "definition": told(REDIS_URL=f"rediss://{JOBS}:6379/0")},
    "TLS by another word": {"more": redis(), "definition": told(REDIS_HOST=JOBS, REDIS_TLS="1")},
    "none, beside the group of others": {"more": redis(), "definition": told()},
    "a single node": {
        "more": [redis(), part("aws_elasticache_cluster.c", cluster_id="cache", engine="redis")],
        "definition": onyx(REDIS_HOST=f"cache.abc.0001.euw1.{CACHE}"),
    },
    "serverless": {
        "more": [redis(), part("aws_elasticache_serverless_cache.c", name="cache")],
        "definition": onyx(REDIS_HOST=f"cache-abc.serverless.euw1.{CACHE}", REDIS_SSL="true"),
    },
    "a group of another state": {"more": redis(), "definition": onyx(REDIS_HOST=SHARED, REDIS_SSL="true")},
    "a group that is looked up": {
        "more": [
            redis(),
            part(
                "data.aws_elasticache_replication_group.s",
                replication_group_id="shared",
                primary_endpoint_address=SHARED,
            ),
        ],
        "definition": onyx(REDIS_HOST=SHARED, REDIS_SSL="true"),
    },
    "capitals and a last dot": {"more": redis(), "definition": onyx(REDIS_HOST=f"{JOBS.upper()}.", REDIS_SSL="true")},
    "a record that leads to it": {
        "more": [
            redis(),
            record("aws_route53_record.r", fqdn="redis.shop.internal", type="CNAME", alias=[], records=[JOBS]),
        ],
        "definition": onyx(REDIS_HOST="redis.shop.internal", REDIS_SSL="true"),
    },
}
NO_PASSWORD = {key: value for key, value in SAID.items() if key != "POSTGRES_PASSWORD"}
PASSWORDS: Mapping[str, Any] = {
    "in a file": {"definition": definition(container({**NO_PASSWORD, "POSTGRES_PASSWORD_FILE": "/run/secrets/pw"}))},
    "in files of variables": {
        "definition": definition(
            container(
                {**NO_PASSWORD, **OF_ONYX, "REDIS_HOST": "redis"},
                image=ONYX,
                environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::shop/app.env"}],
            )
        )
    },
    "by libpq's word": {
        "definition": definition(container(NO_PASSWORD, secrets={"PGPASSWORD": arn("ssm", "parameter/shop/pw")}))
    },
    "in a URL that a secret holds": {
        "definition": definition(container(NO_PASSWORD, secrets={"DATABASE_URL": arn("ssm", "parameter/shop/url")}))
    },
    "none: another application signs in by IAM": {"definition": definition(container({**NO_PASSWORD, "DB_IAM": "1"}))},
    "words about secrets": {
        "definition": told(
            PASSWORD_RESET_URL="https://shop.example.com/reset",
            MAX_TOKENS="4096",
            TOKEN_EXPIRY_SECONDS="3600",
            DISABLE_PASSWORD="true",
            API_KEY_HEADER="X-Api-Key",
            SECRETS_MANAGER_REGION=REGION,
            SECRET="arn:aws:secretsmanager:eu-west-1:111122223333:secret:x",
            PASSWORD="/run/secrets/password",
        )
    },
}
VPC = part("aws_vpc.main", id="vpc-1", main_route_table_id="rtb-main", default_route_table_id="rtb-main")
SUBNET = part("aws_subnet.a", id="subnet-a", vpc_id="vpc-1", cidr_block="10.0.1.0/24")
GATEWAY = part("aws_internet_gateway.main", id="igw-1", vpc_id="vpc-1")
TABLE = [
    part("aws_route_table.private", id="rtb-p", vpc_id="vpc-1", route=[]),
    part("aws_route_table_association.a", subnet_id="subnet-a", route_table_id="rtb-p"),
]
ANYWHERE = "0.0.0.0/0"


def routed(number: int = 0, to: str = ANYWHERE, **way: str) -> dict[str, Any]:
    return part(f"aws_route.r{number}", route_table_id="rtb-p", destination_cidr_block=to, **way)


def endpoint(name: str, kind: str = "Interface") -> dict[str, Any]:
    said = f"com.amazonaws.{REGION}.{name}"
    return part(f'aws_vpc_endpoint.this["{name}"]', vpc_id="vpc-1", vpc_endpoint_type=kind, service_name=said)


PRIVATE = service(network_configuration=network("subnet-a"))
PUBLIC = service(network_configuration=network("subnet-a", public=True))
NETWORKS: Mapping[str, Any] = {
    "the VPC's own table": {
        "more": [
            VPC,
            SUBNET,
            GATEWAY,
            part(
                "aws_default_route_table.main",
                id="rtb-main",
                default_route_table_id="rtb-main",
                route=[{"cidr_block": ANYWHERE, "gateway_id": "igw-1"}],
            ),
        ],
        "service": PUBLIC,
    },
    "a route into the VPC's own table": {
        "more": [
            VPC,
            SUBNET,
            GATEWAY,
            part("aws_route.out", route_table_id="rtb-main", destination_cidr_block=ANYWHERE, gateway_id="igw-1"),
        ],
        "service": PUBLIC,
    },
    "another table made the main one": {
        "more": [
            VPC,
            SUBNET,
            GATEWAY,
            part("aws_route_table.o", id="rtb-2", route=[{"cidr_block": ANYWHERE, "gateway_id": "igw-1"}]),
            part("aws_main_route_table_association.a", vpc_id="vpc-1", route_table_id="rtb-2"),
        ],
        "service": PUBLIC,
    },
    "endpoints in place of a route": {
        "more": [VPC, SUBNET, *TABLE, *map(endpoint, ("ecr.api", "ecr.dkr", "logs")), endpoint("s3", "Gateway")],
        "service": PRIVATE,
    },
    "a table that is another team's": {
        "more": [VPC, SUBNET, part("aws_route_table_association.a", subnet_id="subnet-a", route_table_id="rtb-theirs")],
        "service": PRIVATE,
    },
    "a VPC that is looked up": {"more": [SUBNET], "service": PRIVATE},
    "a firewall": {"more": [VPC, SUBNET, *TABLE, routed(vpc_endpoint_id="vpce-fw")], "service": PRIVATE},
    "a peering": {"more": [VPC, SUBNET, *TABLE, routed(vpc_peering_connection_id="pcx-1")], "service": PRIVATE},
    "a cloud WAN": {"more": [VPC, SUBNET, *TABLE, routed(core_network_arn="arn:aws:x")], "service": PRIVATE},
    "two halves": {
        "more": [
            VPC,
            SUBNET,
            *TABLE,
            routed(1, "0.0.0.0/1", nat_gateway_id="nat-1"),
            routed(2, "128.0.0.0/1", nat_gateway_id="nat-1"),
        ],
        "service": PRIVATE,
    },
    "a list of addresses": {
        "more": [VPC, SUBNET, *TABLE, part("aws_route.p", route_table_id="rtb-p", destination_prefix_list_id="pl-1")],
        "service": PRIVATE,
    },
    "IPv6 alone": {
        "more": [
            VPC,
            SUBNET,
            *TABLE,
            part(
                "aws_route.six",
                route_table_id="rtb-p",
                destination_ipv6_cidr_block="::/0",
                egress_only_gateway_id="eigw-1",
            ),
        ],
        "service": PRIVATE,
    },
    "the network of instances": {
        "more": [VPC, SUBNET, GATEWAY],
        "service": service(launch_type="EC2", network_configuration=[]),
    },
    "subnets of another state": {
        "more": [VPC, part("aws_subnet.z", id="subnet-z", vpc_id="vpc-1")],
        "service": service(network_configuration=network("subnet-theirs")),
    },
}
ARM = definition(container(TOLD, image="registry.example/web:1.2.3-arm64", secrets=SECRET))
MACHINES: Mapping[str, Any] = {
    "instances with other processors": {"definition": ARM, "service": service(launch_type="EC2")},
    "a provider of such instances": {
        "definition": ARM,
        "service": service(launch_type="", capacity_provider_strategy=[{"capacity_provider": "graviton"}]),
    },
    "a health check on a port of its own": {
        "group": group(port="8081", path="/actuator/health"),
        "definition": definition(
            container(TOLD, secrets=SECRET, portMappings=[{"containerPort": 8080}, {"containerPort": 8081}])
        ),
    },
}
PLAIN = listener(port=80, protocol="HTTP", certificate_arn=None)
ACCELERATOR = "a123.awsglobalaccelerator.com"
NAMED = {"zone": "example.com", "domain": "example.com", "name": "shop", "type": "CNAME"}
ENTRY = {"hostname": "shop", "address": BALANCER}
ROADS: Mapping[str, Any] = {
    "CloudFront speaks HTTPS": {
        "listener": PLAIN,
        "more": part(
            "aws_cloudfront_distribution.cdn",
            aliases=["shop.example.com"],
            domain_name="d1.cloudfront.net",
            origin=[{"domain_name": BALANCER}],
        ),
        "record": record(alias=[{"name": "d1.cloudfront.net"}]),
    },
    "Cloudflare speaks HTTPS": {
        "listener": PLAIN,
        "record": part("cloudflare_record.c", hostname="shop.example.com", value=BALANCER, proxied=True, type="CNAME"),
    },
    "an API gateway speaks HTTPS": {
        "listener": PLAIN,
        "more": part("aws_apigatewayv2_integration.i", integration_uri=LISTENER, connection_type="VPC_LINK"),
    },
    "an accelerator": {
        "more": [part("aws_globalaccelerator_accelerator.ga", dns_name=ACCELERATOR), rule("web", "shop.example.com")],
        "record": record(alias=[{"name": ACCELERATOR}]),
    },
    "a record that leads to a record": {
        "more": [record("aws_route53_record.lb", fqdn="lb.example.com"), rule("web", "shop.example.com")],
        "record": record(type="CNAME", alias=[], records=["lb.example.com"]),
    },
    "a load balancer that is looked up": {
        "balancer": balancer("data.aws_lb.main"),
        "listener": listener(at="data.aws_lb_listener.https"),
        "more": rule("web", "shop.example.com"),
    },
    **{
        kind: {"record": part(f"{kind}.site", **said), "more": [rule("web", "shop.example.com"), *zone]}
        for kind, said, zone in (
            ("ovh_domain_zone_record", {"zone": "example.com", "subdomain": "shop", "target": f"{BALANCER}."}, []),
            ("vultr_dns_record", {**NAMED, "data": BALANCER}, []),
            ("gandi_livedns_record", {**NAMED, "values": [f"{BALANCER}."]}, []),
            ("dns_cname_record", {**NAMED, "zone": "example.com.", "cname": f"{BALANCER}."}, []),
            ("desec_rrset", {"domain": "example.com", "subname": "shop", "records": [f"{BALANCER}."]}, []),
            ("powerdns_record", {"zone": "example.com.", "name": "shop.example.com.", "records": [f"{BALANCER}."]}, []),
            ("hetznerdns_record", {"zone_id": "z1", "name": "shop", "value": f"{BALANCER}."}, []),
            ("linode_domain_record", {"domain_id": 7, "name": "shop", "target": BALANCER}, []),
            ("alicloud_alidns_record", {"domain_name": "example.com", "rr": "shop", "value": BALANCER}, []),
            ("namecheap_domain_records", {"domain": "example.com", "record": [ENTRY]}, []),
        )
    },
}
SHAPES = {
    f"{kind}: {name}": parts
    for kind, some in (
        ("PostgreSQL", DATABASES),
        ("Redis", CACHES),
        ("password", PASSWORDS),
        ("way out", NETWORKS),
        ("machine", MACHINES),
        ("road", ROADS),
    )
    for name, parts in some.items()
}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_is_wrong_in_it(shape: str) -> None:
    assert alarms(state(**{"definition": told(), **SHAPES[shape]})) == []
