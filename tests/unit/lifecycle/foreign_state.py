"""A stack's contract, and a state in which each of its parts is `managed`, `data` (only looked up) or `absent`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.stack import contract
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.contract import Stack
from orchestrator.stack.inference.owned import ownership_of
from orchestrator.stack.ownership import Known, Part, PartKind

STACK, OTHER = "onyx-prod", "onyx-prod-2"
BALANCER = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/onyx/1"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret"
SERVER = (PartKind.DATABASE, "postgres")
REDIS = (PartKind.REDIS, "redis")
BUCKET = (PartKind.BUCKET, "files")
RUNNER, VESPA = (PartKind.INSTANCE, "i-0aa"), (PartKind.INSTANCE, "i-0bb")
SERVICE = (PartKind.SERVICE, "cluster/a-service")
KEY = (PartKind.SECRET, f"{SECRET}:key-AbCdEf")
ELSEWHERE = (PartKind.SERVICE, "other/a-service")
"""A service of the same name in another cluster."""
CMK = (PartKind.KEY, "arn:aws:kms:us-west-2:123456789012:key/0f1e2d3c-0000-0000-0000-000000000000")
"""The key that the secret is sealed with."""
PARTS: Mapping[Part, tuple[str, dict[str, Any]]] = {
    SERVER: ("aws_db_instance", {"identifier": "postgres"}),
    (PartKind.BALANCER, BALANCER): ("aws_lb", {"arn": BALANCER}),
    REDIS: ("aws_elasticache_replication_group", {"replication_group_id": "redis"}),
    BUCKET: ("aws_s3_bucket", {"bucket": "files"}),
    RUNNER: ("aws_instance", {"id": "i-0aa"}),
    VESPA: ("aws_instance", {"id": "i-0bb"}),
    SERVICE: ("aws_ecs_service", {"name": "a-service", "cluster": "arn:aws:ecs:us-west-2:1:cluster/cluster"}),
    KEY: ("aws_secretsmanager_secret", {"arn": f"{SECRET}:key-AbCdEf"}),
    ELSEWHERE: ("aws_ecs_service", {"name": "a-service", "cluster": "arn:aws:ecs:us-west-2:1:cluster/other"}),
    CMK: ("aws_kms_key", {"arn": CMK[1], "key_id": "0f1e2d3c-0000-0000-0000-000000000000"}),
}
UNTOUCHED = frozenset({ELSEWHERE, CMK})
"""No command changes these, whosever they are."""
_ARN = "arn:aws:{}:us-west-2:123456789012:{}"
BESIDE: Mapping[str, Mapping[str, Any]] = {
    "aws_ecs_cluster": {"name": "cluster", "arn": _ARN.format("ecs", "cluster/cluster")},
    "aws_route53_zone": {"name": "example.com", "zone_id": "Z2"},
    "aws_lb_target_group": {"name": "a", "arn": _ARN.format("elasticloadbalancing", "targetgroup/a/1")},
    "aws_lb_listener": {"port": 443, "load_balancer_arn": BALANCER, "arn": _ARN.format("elasticloadbalancing", "l")},
    "aws_security_group": {"name": "db", "id": "sg-0aa"},
    "aws_iam_role": {"name": "task"},
    "aws_cloudwatch_log_group": {"name": "/onyx/a"},
    "aws_db_snapshot": {"db_snapshot_identifier": "yesterday"},
    "aws_appautoscaling_target": {"resource_id": "service/cluster/a-service"},
}
"""What a command never changes, and what tells nothing of whose the rest is: a cluster of ours may hold a service of
theirs, and the other way round."""


def document(said: Mapping[Part, str], beside: Mapping[str, str] | None = None) -> dict[str, Any]:
    """`terraform show -json` of a state in which each part is what its word says; so is what lies beside them."""
    resources = [
        {"address": f"{kind}.beside", "mode": mode, "type": kind, "values": BESIDE[kind]}
        for kind, mode in (beside or {}).items()
        if mode != "absent"
    ] + [
        {
            "address": f"{'data.' if said[part] == 'data' else ''}{kind}.{number}",
            "mode": "managed" if said[part] == "managed" else "data",
            "type": kind,
            "values": values,
        }
        for number, (part, (kind, values)) in enumerate(PARTS.items())
        if said[part] != "absent"
    ]
    return {"values": {"root_module": {"resources": resources}}}


def stack_of(said: Mapping[Part, str], beside: Mapping[str, str] | None = None) -> Stack:
    made = contract.parse(
        {
            "schema": 1,
            "stack": STACK,
            "account_id": "123456789012",
            "region": "us-west-2",
            "cluster": "cluster",
            "database": {
                "instance": "postgres",
                "host": "db.example.com",
                "admin_user": "root",
                "admin_secret_arn": f"{SECRET}:admin-AbCdEf",
            },
            "runner": {"instance_id": "i-0aa"},
            "load_balancer": {"arn": BALANCER, "dns_name": "onyx.example.com", "zone_id": "Z1"},
            "bucket": "files",
            "redis": {
                "replication_group": "redis",
                "host": "redis.example.com",
                "auth_secret_arn": f"{SECRET}:t-AbCdEf",
            },
            "vespa": {"a": {"instance_id": "i-0bb", "host": "10.0.0.5"}},
            "tenants": {
                "a": {
                    "database": "onyx_a",
                    "role": "onyx_a",
                    "secret_arn": f"{SECRET}:a-AbCdEf",
                    "service": "a-service",
                    "hostname": "a.example.com",
                    "target_group_arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1",
                    "log_group": None,
                }
            },
        },
        "test",
    )
    return made.owning(Known(lambda: ownership_of(states.read(document(said, beside)))))
