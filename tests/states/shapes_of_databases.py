"""More shapes of public stacks: where the database is, and who says so. What is expected of each: shapes/NAME.json."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.states.parts import HOST, REGION, Part, arn, aurora, container, definition, part, record, server, state

DJANGO = {"DB_HOST": HOST, "DB_NAME": "shop", "DB_USER": "shop_app"}
GLOBAL = "shop.global-abc123.global.rds.amazonaws.com"
WRITER, READER = (f"shop-au.{kind}-abc.{REGION}.rds.amazonaws.com" for kind in ("cluster", "cluster-ro"))
PROXY = f"shop-px.proxy-abc.{REGION}.rds.amazonaws.com"
MYSQL = f"wp.cluster-abc.{REGION}.rds.amazonaws.com"


def kept(name: str, key: str = "") -> str:
    """As a container's `valueFrom` names a secret."""
    return arn("secretsmanager", f"secret:{name}-AbCdEf") + (f":{key}::" if key else "")


PASSWORD = {"DB_PASSWORD": kept("shop-app", "password")}


def secret(name: str, value: str = "") -> Sequence[Part]:
    """With its value, where the state has it."""
    one = part("aws_secretsmanager_secret.db", arn=kept(name), id=kept(name), name=name)
    version = part("aws_secretsmanager_secret_version.db", arn=kept(name), secret_id=kept(name), secret_string=value)
    return [one, version] if value else [one]


def parameter(name: str, value: str) -> Part:
    return part("aws_ssm_parameter.db", name=name, arn=arn("ssm", f"parameter{name}"), type="SecureString", value=value)


def member(name: str, *, writer: bool) -> Part:
    host = f"{name}.abc.{REGION}.rds.amazonaws.com"
    said = {"identifier": name, "cluster_identifier": "shop-au", "endpoint": host, "writer": writer}
    return part(f"module.db.aws_rds_cluster_instance.this[{json.dumps(name)}]", instance_class="db.r6g.large", **said)


def told(variables: Mapping[str, str], secrets: Mapping[str, str] | None = None, **more: Any) -> Part:
    return definition(container(variables, secrets=PASSWORD if secrets is None else secrets, **more))


IN_A_SECRET = {name: kept("shop-db", key) for name, key in (("DB_HOST", "host"), ("DB_NAME", "dbname"))}
WHOLE = {"host": HOST, "dbname": "shop", "username": "shop_app", "password": "not-a-secret"}
URL = {"DATABASE_URL": "/shop/url"}

DATABASES: Mapping[str, Any] = {
    "secret-that-the-application-fetches": state(
        definition=told({"DB_SECRET_ARN": kept("shop-db"), "APP_ENV": "prod"}, {}), more=secret("shop-db")
    ),
    "secret-of-rds-itself": state(
        definition=told({"DB_SECRET_ARN": arn("secretsmanager", "secret:rds!db-shop-db-AbCdEf")}, {}),
        more=server("crm", "aws_db_instance.crm"),
    ),
    "keys-of-a-secret-that-the-state-has": state(
        definition=told({}, {**IN_A_SECRET, "DB_USER": kept("shop-db", "username"), **PASSWORD}),
        more=secret("shop-db", json.dumps(WHOLE)),
    ),
    "url-in-a-parameter-of-the-state": state(
        definition=told({}, URL), more=parameter("/shop/url", f"postgres://shop_app:not-a-secret@{HOST}/shop")
    ),
    "url-of-a-server-elsewhere": state(
        definition=told({}, URL),
        more=parameter("/shop/url", "postgres://shop_app:not-a-secret@db.partner.example.net/shop"),
    ),
    "variables-in-a-file-of-s3": state(
        definition=told({}, {}, environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::shop/app.env"}])
    ),
    "a-pooler-in-the-task": state(
        definition=definition(
            container({**DJANGO, "DB_HOST": "127.0.0.1", "DB_PORT": "6432"}, secrets=PASSWORD),
            container({"DB_HOST": HOST}, name="pool", image="edoburu/pgbouncer:1.22", port=6432),
        )
    ),
    "a-database-in-the-task": state(
        server=None,
        definition=definition(
            container({**DJANGO, "DB_HOST": "localhost"}, secrets=PASSWORD),
            container({"POSTGRES_DB": "shop"}, name="db", image="postgres:16", port=5432),
        ),
    ),
    "definition-is-looked-up": state(
        definition=part("data.aws_ecs_task_definition.web", family="web", arn=arn("ecs", "task-definition/web:12"))
    ),
    "aurora-of-a-global-database": state(
        server=[
            aurora(global_cluster_identifier="shop-global"),
            part("aws_rds_global_cluster.main", global_cluster_identifier="shop-global", endpoint=GLOBAL),
            member("shop-au-0", writer=True),
            member("shop-au-1", writer=False),
        ],
        definition=told({**DJANGO, "DB_HOST": GLOBAL}),
    ),
    "aurora-with-a-reader-beside-the-writer": state(
        server=[aurora(at="module.db.aws_rds_cluster.this[0]"), member("one", writer=True)],
        definition=told({"DB_READ_HOST": READER, "REPLICA_DB_HOST": READER, **DJANGO, "DB_HOST": WRITER}),
    ),
    "proxy-of-an-aurora-in-capitals": state(
        server=aurora(),
        definition=told({"PGHOST": f"{PROXY.upper()}.", "PGDATABASE": "shop", "PGUSER": "shop_app"}),
        more=[
            part("module.proxy.aws_db_proxy.this[0]", name="shop-px", endpoint=PROXY),
            part(
                "module.proxy.aws_db_proxy_target.db_cluster[0]",
                db_proxy_name="shop-px",
                db_cluster_identifier="shop-au",
            ),
        ],
    ),
    "mysql-beside-the-postgresql-of-others": state(
        server=[
            server("crm"),
            part("aws_rds_cluster.wp", cluster_identifier="wp", endpoint=MYSQL, engine="aurora-mysql"),
        ],
        definition=told({"WORDPRESS_DB_HOST": f"{MYSQL}:3306", "WORDPRESS_DB_NAME": "wp"}, {}),
    ),
    "jdbc-url-with-properties": state(
        definition=told(
            {
                "KC_DB_URL": f"jdbc:postgresql://{HOST}:5432/keycloak?ssl=true&sslmode=verify-full",
                "KC_DB_USERNAME": "keycloak",
                "KC_HOSTNAME": "login.example.com",
            },
            {"KC_DB_PASSWORD": kept("kc", "password")},
            image="quay.io/keycloak/keycloak:26.0",
        ),
        record=record(fqdn="login.example.com"),
    ),
    "a-reporting-application-on-a-replica": state(
        server=[server(), server("shop-ro", "aws_db_instance.ro", replicate_source_db="shop-db")],
        definition=told({**DJANGO, "DB_HOST": f"shop-ro.abc.{REGION}.rds.amazonaws.com"}),
    ),
    "no-user-where-the-admin-is-postgres": state(
        server=server(username="postgres"),
        definition=told({"POSTGRES_HOST": HOST, "POSTGRES_DB": "shop"}, {"POSTGRES_PASSWORD": kept("shop-app")}),
    ),
    "server-on-another-port": state(server=server(port=5433), definition=told({**DJANGO, "DB_PORT": "5433"})),
}
