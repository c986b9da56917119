"""Shapes of other people's stacks in which something looks like an answer, and is none: it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orchestrator.stack.inference.mapping import dotted
from tests.states.parts import (
    HOST,
    REGION,
    arn,
    container,
    definition,
    listener,
    part,
    record,
    rule,
    server,
    service,
    state,
)
from tests.unit.stack.inference.test_foreign_shapes import CERTIFIED, ELSEWHERE, OTHER, PAIR, stored, told, values
from tests.unit.stack.inference.test_states import understood

ADMIN = server(username="postgres")
ALONE = "what is web's host name? Neither a rule nor WEB_DOMAIN nor a single record shows it"
ASKED: Mapping[str, tuple[Mapping[str, Any], str, str, list[str]]] = {
    "a host in a parameter is another's": (
        stored("legacy.example.net"),
        "database",
        "the tasks' database host is legacy.example.net, which no server in the state has",
        [f"aws_db_instance.main = {HOST}"],
    ),
    "a proxy whose target isn't known": (
        {
            "definition": told(POSTGRES_HOST=f"p.proxy-abc.{REGION}.rds.amazonaws.com"),
            "more": part("aws_db_proxy.p", name="p", endpoint=f"p.proxy-abc.{REGION}.rds.amazonaws.com"),
        },
        "database",
        f"the tasks' database host is p.proxy-abc.{REGION}.rds.amazonaws.com, which no server in the state has",
        [f"aws_db_instance.main = {HOST}"],
    ),
    "the role, where the admin is postgres and the task says another user": (
        {"server": ADMIN, "definition": definition(container({"DB_HOST": HOST, "DB_USER": "app"}))},
        "tenants.web.role",
        "which role do the tasks of aws_ecs_task_definition.web sign in as?",
        ["app (DB_USER)"],
    ),
    "the role, where the admin is postgres and a secret says who signs in": (
        {"server": ADMIN, "definition": definition(container(secrets={"DATABASE_URL": arn("ssm", "parameter/url")}))},
        "tenants.web.role",
        "which role do the tasks of aws_ecs_task_definition.web sign in as?",
        [],
    ),
    "DOMAIN is another service's": (
        {
            "definition": [told(DOMAIN="auth.example.com"), definition(container(), family="auth")],
            "record": None,
            "listener": listener(""),
            "group": PAIR,
            "service": [service(to="blue"), service("auth", "green")],
            "more": [rule("blue", "*.example.com"), rule("green", "auth.example.com")],
        },
        "tenants.web.hostname",
        ALONE,
        [],
    ),
    "DOMAIN leads to another load balancer": (
        {
            "definition": told(DOMAIN="login.example.com"),
            "record": record(fqdn="login.example.com", **ELSEWHERE),
            "more": [CERTIFIED, OTHER],
        },
        "tenants.web.hostname",
        ALONE,
        [],
    ),
    "WEB_DOMAIN of another application, and a record of another name": (
        {"definition": told(WEB_DOMAIN="https://static.vendor.net")},
        "tenants.web.hostname",
        "what is web's host name? WEB_DOMAIN and the records differ",
        ["shop.example.com", "static.vendor.net"],
    ),
    "a runner that a list of addresses may let in": (
        {
            "more": [
                part("aws_instance.b", id="i-0abc1234def567890", private_ip="10.0.0.9", iam_instance_profile="b"),
                part("aws_iam_instance_profile.b", name="b", role="b"),
                part(
                    "aws_iam_role_policy_attachment.b",
                    role="b",
                    policy_arn="arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore",
                ),
                part(
                    "aws_security_group.db",
                    id="sg-db",
                    ingress=[{"from_port": 5432, "to_port": 5432, "protocol": "tcp", "prefix_list_ids": ["pl-1"]}],
                ),
            ]
        },
        "runner",
        "which instance should run commands?",
        ["aws_instance.b = 10.0.0.9"],
    ),
}


@pytest.mark.parametrize("shape", ASKED)
def test_what_is_asked(shape: str) -> None:
    parts, key, begins, options = ASKED[shape]
    seen = understood(state(**parts), {})
    asked = {dotted(one.key): one for one in seen.questions}
    assert asked[key].asks.startswith(begins)
    assert [one.label for one in asked[key].options] == options
    assert key not in values(seen)
