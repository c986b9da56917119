"""More shapes of public stacks: how visitors come to a service. What is expected of each: shapes/NAME.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.states.parts import (
    BALANCER,
    HOST,
    LOAD_BALANCER,
    REGION,
    Part,
    arn,
    balancer,
    cluster,
    container,
    definition,
    forward,
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
from tests.states.shapes_of_databases import DJANGO, PASSWORD, kept, parameter, told

APP = told(DJANGO)


def moved(one: Part, address: str, **values: Any) -> Part:
    """The same at another address, with other values."""
    return {**one, "address": address, "values": {**one["values"], **values}}


def tenant(number: int, host: str, key: str = "", **where: Any) -> list[Part]:
    """A service of its own with all that belongs to it; with a key, by `for_each`."""
    name, to = f"s{number}", f"g{number}"
    said = {"POSTGRES_HOST": HOST, "POSTGRES_DB": f"d{number}", "POSTGRES_USER": f"d{number}", **where.pop("said", {})}
    secrets = {"POSTGRES_PASSWORD": kept(f"p{number}", "password")}

    def at(kind: str, plain: str) -> str:
        return f"{kind}.tenant[{json.dumps(key)}]" if key else f"{kind}.{plain}"

    return [
        moved(service(name, to), at("aws_ecs_service", name), **where),
        moved(definition(container(said, secrets=secrets), family=name), at("aws_ecs_task_definition", name)),
        moved(group(to), at("aws_lb_target_group", to)),
        moved(rule(to, host), at("aws_lb_listener_rule", to)),
    ]


def only(*parts: list[Part] | Part, **more: Any) -> Any:
    """A stack of these services alone."""
    nothing = {"service": None, "definition": None, "group": None, "record": None, "listener": listener("")}
    flat: list[Part] = [one for some in parts for one in (some if isinstance(some, list) else [some])]
    return state(**{**nothing, **more}, more=flat)


def to(*groups: str, **more: Any) -> Sequence[Mapping[str, Any]]:
    return [
        {"target_group_arn": group_arn(name), "container_name": "web", "container_port": 8080, **more}
        for name in groups
    ]


INTERNAL = arn("elasticloadbalancing", "loadbalancer/app/int/0000000000000009")
INSIDE = [
    part(
        "module.internal_alb.aws_lb.this[0]",
        arn=INTERNAL,
        dns_name=f"internal-int-9.{REGION}.elb.amazonaws.com",
        zone_id="Z32O12XQLNTSW2",
        internal=True,
    ),
    part(
        'module.internal_alb.aws_lb_listener.this["http"]',
        arn=arn("elasticloadbalancing", "listener/app/int/0000000000000009/0000000000000008"),
        load_balancer_arn=INTERNAL,
        port=80,
        protocol="HTTP",
        default_action=[forward("int")],
    ),
]
LABELLED = arn("ecs", "task-definition/eg-prod-app-web")
ONYX = {
    "POSTGRES_HOST": HOST,
    "POSTGRES_DB": "onyx",
    "POSTGRES_USER": "onyx",
    "WEB_DOMAIN": "https://chat.example.com",
    "AWS_REGION_NAME": REGION,
}
OPENSEARCH = f"vpc-chat.{REGION}.es.amazonaws.com"
BY_COGNITO = {"type": "authenticate-cognito", "order": 1, "authenticate_cognito": [{"user_pool_domain": "shop"}]}
WEIGHTS = [{"arn": group_arn("blue"), "weight": 0}, {"arn": group_arn("green"), "weight": 100}]


def cname(address: str, name: str, target: str, **more: Any) -> Part:
    return part(address, name=name, type="CNAME", content=target, **more)


WAYS: Mapping[str, Any] = {
    "service-module-with-two-balancers": state(
        cluster=cluster(at="module.ecs.module.cluster.aws_ecs_cluster.this[0]"),
        service=moved(
            service(load_balancer=to("pub", "int")),
            'module.ecs.module.service["web"].aws_ecs_service.ignore_task_definition[0]',
        ),
        definition=moved(APP, 'module.ecs.module.service["web"].aws_ecs_task_definition.this[0]'),
        group=[group("pub"), group("int")],
        listener=listener("pub"),
        more=INSIDE,
    ),
    "labels-of-cloudposse": state(
        cluster=moved(cluster("eg-prod-app"), "module.ecs_cluster.aws_ecs_cluster.default[0]"),
        service=moved(
            service(cluster=arn("ecs", "cluster/eg-prod-app"), task_definition="eg-prod-app-web:7"),
            "module.web.module.ecs_alb_service_task.aws_ecs_service.ignore_changes_task_definition[0]",
            name="eg-prod-app-web",
        ),
        definition=moved(
            definition(
                container(
                    {"POSTGRES_HOST": HOST, "POSTGRES_DB": "app", "POSTGRES_USER": "app"},
                    secrets={"POSTGRES_PASSWORD": "/eg/prod/app/db_password"},
                ),
                container({"DD_SITE": "datadoghq.eu"}, name="datadog", image="datadog/agent:7.50", port=8126),
            ),
            "module.web.module.ecs_alb_service_task.aws_ecs_task_definition.default[0]",
            family="eg-prod-app-web",
            arn=f"{LABELLED}:7",
            arn_without_revision=LABELLED,
        ),
        listener=listener(""),
        more=[
            moved(
                rule("web", "app.example.com", "www.app.example.com"),
                "module.web.module.alb_ingress.aws_lb_listener_rule.unauthenticated_hosts[0]",
            ),
            parameter("/eg/prod/app/db_password", "not-a-secret"),
        ],
        record=[record(fqdn="app.example.com"), record("aws_route53_record.www", fqdn="www.app.example.com")],
    ),
    "tenants-with-odd-keys": only(
        tenant(1, "Acme.Example.com", "acme.co/eu west"),
        tenant(2, "x.example.com", 'ü-"x"'),
        part("aws_route53_zone.main", name="example.com", zone_id="Z1", arn="arn:aws:route53:::hostedzone/Z1"),
    ),
    "all-but-the-service-is-looked-up": state(
        cluster=part("data.aws_ecs_cluster.platform", cluster_name="platform", arn=arn("ecs", "cluster/platform")),
        balancer=balancer("data.aws_lb.shared"),
        listener=listener("", "data.aws_lb_listener.https"),
        server=moved(
            server(),
            "data.aws_db_instance.shared",
            db_instance_identifier="shop-db",
            master_username="postgres",
            identifier=None,
            username=None,
        ),
        service=service(cluster=arn("ecs", "cluster/platform")),
        definition=APP,
        more=rule("web", "shop.example.com"),
    ),
    "tenants-by-path-of-one-host": only(
        tenant(1, "shop.example.com"), tenant(2, "shop.example.com"), record(fqdn="shop.example.com")
    ),
    "an-application-behind-containers": state(
        definition=definition(
            container({"ENVOY_ADMIN": "9901"}, "envoy", "envoyproxy/envoy:v1.29", port=15000, logs="/ecs/envoy"),
            container({"BACKEND": "localhost:8000"}, "nginx", "nginx:1.27.5", logs="/ecs/nginx"),
            container(DJANGO, "django", secrets=PASSWORD, port=8000, logs="/ecs/django"),
            container(DJANGO, "migrate", secrets=PASSWORD, port=0, logs="/ecs/migrate", essential=False),
        ),
        service=service(load_balancer=to("web", container_name="nginx")),
    ),
    "a-login-in-front-of-it": state(
        listener=listener("", default_action=[{"type": "redirect", "redirect": [{"host": "#{host}"}]}]),
        definition=APP,
        more=rule("web", "shop.example.com", action=[BY_COGNITO, {**forward("web"), "order": 2}]),
    ),
    "a-second-port-for-metrics": state(
        service=service(load_balancer=to("web", "metrics")),
        group=[group(), group("metrics")],
        definition=APP,
        more=rule("metrics", "metrics.example.com"),
    ),
    "blue-green-by-ecs-itself": state(
        group=[group("blue"), group("green")],
        listener=listener(""),
        definition=APP,
        service=service(
            deployment_configuration=[{"strategy": "BLUE_GREEN", "bake_time_in_minutes": "10"}],
            load_balancer=to(
                "blue", advanced_configuration=[{"alternate_target_group_arn": group_arn("green"), "role_arn": "x"}]
            ),
        ),
        more=rule("blue", "shop.example.com", action=[{"type": "forward", "forward": [{"target_group": WEIGHTS}]}]),
    ),
    "two-clusters-of-the-platform": only(
        *(
            one
            for number, name in ((1, "blue"), (2, "red"))
            for one in (
                tenant(
                    number,
                    f"h{number}.example.com",
                    cluster=arn("ecs", f"cluster/{name}"),
                    said={"POSTGRES_HOST": f"db{number}.abc.{REGION}.rds.amazonaws.com"},
                ),
                server(f"db{number}", f"aws_db_instance.db{number}"),
            )
        ),
        cluster=None,
        server=None,
    ),
    "two-machines-with-postgresql": only(
        *(
            one
            for number in (1, 2)
            for one in (
                tenant(number, f"h{number}.example.com", said={"POSTGRES_HOST": f"10.0.0.{number}"}),
                part(f"aws_instance.pg{number}", id=f"i-0abc1234def56789{number}", private_ip=f"10.0.0.{number}"),
            )
        ),
        server=None,
    ),
    "rule-on-a-listener-of-the-platform": state(
        balancer=part("data.aws_lb.main", arn=LOAD_BALANCER, dns_name=BALANCER, zone_id="Z32O12XQLNTSW2"),
        listener=None,
        definition=APP,
        more=rule("web", "shop.example.com"),
    ),
    "the-default-cluster": state(
        cluster=None, definition=APP, service=service(cluster=None, id=arn("ecs", "service/default/web"))
    ),
    "a-long-name": state(definition=APP, service=moved(service(), "aws_ecs_service.web", name="web-" * 20)),
    "grpc": state(
        definition=APP,
        group=moved(group(path="/health/Check", matcher="0-99"), "aws_lb_target_group.web", protocol_version="GRPC"),
    ),
    "classic-load-balancer": state(
        balancer=None,
        listener=None,
        group=None,
        definition=APP,
        service=service(load_balancer=[{"elb_name": "shop", "target_group_arn": "", "container_name": "web"}]),
        more=part("aws_elb.main", name="shop", dns_name=BALANCER),
    ),
    "express-mode": state(
        balancer=None,
        listener=None,
        group=None,
        definition=None,
        record=None,
        service=part("aws_ecs_express_gateway_service.web", service_name="web", cluster="default"),
    ),
    "record-at-google-in-capitals": state(
        definition=APP,
        record=part(
            "google_dns_record_set.shop", name="Shop.Example.COM.", type="CNAME", rrdatas=[f"{BALANCER.upper()}."]
        ),
    ),
    "record-at-ns1": state(
        definition=APP,
        record=part("ns1_record.shop", domain="shop.example.com", type="CNAME", answers=[{"answer": BALANCER}]),
    ),
    "www-at-cloudflare": state(
        definition=APP,
        record=[
            cname("cloudflare_dns_record.shop", "shop.example.com", BALANCER),
            cname("cloudflare_dns_record.www", "www.example.com", "shop.example.com", proxied=True),
        ],
    ),
    "apex-and-www": state(
        definition=APP,
        record=[
            record(fqdn="example.com"),
            record("aws_route53_record.www", fqdn="www.example.com", type="CNAME", alias=[], records=["example.com"]),
        ],
    ),
    "onyx-with-a-managed-opensearch": state(
        definition=definition(
            container(
                {
                    **ONYX,
                    "DISABLE_MODEL_SERVER": "true",
                    "S3_FILE_STORE_BUCKET_NAME": "chat",
                    "REDIS_HOST": "redis.partner.example.net",
                    "REDIS_PASSWORD": "",
                    "OPENSEARCH_HOST": OPENSEARCH,
                    "OPENSEARCH_REST_API_PORT": "443",
                },
                "api",
                "onyxdotapp/onyx-backend:v4.6.1",
                {"POSTGRES_PASSWORD": kept("onyx", "password"), "OPENSEARCH_ADMIN_PASSWORD": kept("os", "password")},
            )
        ),
        record=record(fqdn="chat.example.com"),
        more=part("aws_opensearch_domain.main", domain_name="chat", endpoint=OPENSEARCH),
    ),
}
