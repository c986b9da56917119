"""The same shapes with something wrong in them: it is said, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.states.parts import HOST, REGION, container, definition, group, part, record, rule, state
from tests.unit.preflight.test_foreign_shapes import (
    ARM,
    CACHE,
    PLAIN,
    PRIVATE,
    SUBNET,
    TABLE,
    VPC,
    alarms,
    onyx,
    redis,
    told,
)

BEFORE = f"old-9.{REGION}.elb.amazonaws.com"
WRONG: Mapping[str, tuple[Mapping[str, Any], list[str]]] = {
    "Onyx takes the port twice": (
        {"definition": onyx(POSTGRES_HOST=f"{HOST}:5432", REDIS_HOST="redis")},
        ["blocker database-host-has-port"],
    ),
    "Onyx is told no host": (
        {"definition": onyx(POSTGRES_HOST="", REDIS_HOST="redis")},
        ["blocker database-host-wrong"],
    ),
    "a name that the group has lost": (
        {"more": redis(), "definition": onyx(REDIS_HOST=f"jobs.xyz.ng.0001.euw1.{CACHE}", REDIS_SSL="true")},
        ["blocker redis-host-wrong"],
    ),
    "no route at all": ({"more": [VPC, SUBNET, *TABLE], "service": PRIVATE}, ["blocker subnet-without-way-out"]),
    "no route in the main table": ({"more": [VPC, SUBNET], "service": PRIVATE}, ["blocker subnet-without-way-out"]),
    "an image of another processor on Fargate": ({"definition": ARM}, ["blocker image-architecture-mismatch"]),
    "a port that no container names": ({"group": group(port="9901")}, ["warning health-check-port-wrong"]),
    "nobody speaks HTTPS": ({"listener": PLAIN}, ["warning https-listener-missing"]),
    "a CDN for something else": (
        {"listener": PLAIN, "more": part("aws_cloudfront_distribution.cdn", origin=[{"domain_name": "files.s3.test"}])},
        ["warning https-listener-missing"],
    ),
    "a record that stays at a load balancer of before": (
        {"more": rule("web", "shop.example.com"), "record": record(alias=[{"name": BEFORE}])},
        ["warning dns-switched-by-nobody"],
    ),
    "a TXT record alone": (
        {"more": rule("web", "shop.example.com"), "record": record(type="TXT", alias=[], records=["v=spf1 -all"])},
        ["warning dns-switched-by-nobody"],
    ),
    "passwords in each one's words": (
        {
            "definition": definition(
                container(
                    {
                        "DATABASE_URL": f"postgres://shop:not-a-secret@{HOST}/shop",
                        "DB_PASS": "not-a-secret",
                        "APP_KEY": "base64:not-a-secret",
                        "RAILS_MASTER_KEY": "not-a-secret",
                        "STRIPE_API_KEY": "not-a-secret",
                        "SECRET_KEY_BASE": "not-a-secret",
                    }
                )
            )
        },
        ["warning secret-in-environment"],
    ),
}


@pytest.mark.parametrize("shape", WRONG)
def test_what_is_wrong_is_still_said(shape: str) -> None:
    parts, wanted = WRONG[shape]
    assert alarms(state(**{"definition": told(), **parts})) == wanted
