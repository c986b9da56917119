"""Command → what it needs. One entry a command: a test fails when one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.errors import Invalid, Problem
from orchestrator.policy import grants as on
from orchestrator.policy.grants import Grant

Grants = Sequence[Grant]

NOTHING: Grants = ()
"""It asks AWS for nothing. (`sts:GetCallerIdentity` needs no permission.)"""

DATABASE_SERVER: Grants = (Grant(("rds:DescribeDBInstances",), on.database),)

DATABASES: Grants = (
    Grant(("ssm:SendCommand",), on.scripts_on_runner),
    Grant(
        ("ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ec2:DescribeInstances"), on.answers_of_scripts
    ),
    Grant(("secretsmanager:GetSecretValue",), on.logins),
)
"""Through the runner, or directly. EC2 is asked when the runner's agent doesn't answer."""

REDIS: Grants = (Grant(("elasticache:DescribeReplicationGroups",), on.redis),)
REDIS_TOKEN: Grants = (
    Grant(("elasticache:ModifyReplicationGroup",), on.redis),
    Grant(("secretsmanager:GetSecretValue",), on.redis_token),
)

SERVICES: Grants = (
    Grant(("ecs:DescribeServices",), on.services),
    Grant(("ecs:ListTasks",), on.anywhere, on.in_cluster),
    Grant(("ecs:DescribeTasks",), on.tasks),
    Grant(("ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeTargetHealth")),
    Grant(("logs:GetLogEvents",), on.log_streams),
)
"""Rollouts, and why tasks failed."""

REDEPLOY: Grants = (
    Grant(("ecs:UpdateService",), on.services),
    Grant(("elasticloadbalancing:DescribeTargetGroups",)),
)
"""And how long health checks may take."""

RECORDS: Grants = (
    Grant(("route53:ListHostedZonesByName", "route53:ListHostedZones"), on.route53),
    Grant(("route53:ListResourceRecordSets",), on.hosted_zones),
)
RECORDS_OF_OURS: Grants = (*RECORDS, Grant(("elasticloadbalancing:DescribeLoadBalancers",)))
"""And whether the load balancer that a record names is there."""

CHANGED_RECORDS: Grants = (
    Grant(("route53:ChangeResourceRecordSets",), on.hosted_zones, on.of_hostnames),
    Grant(("route53:GetChange",), on.dns_changes),
)

VALIDATION: Grants = (
    *RECORDS,
    Grant(("acm:DescribeCertificate",), on.certificate),
    Grant(("route53:ChangeResourceRecordSets",), on.hosted_zones, on.of_validations),
)

LOOK: Grants = (*DATABASE_SERVER, *DATABASES, *REDIS, *SERVICES, *RECORDS_OF_OURS)
"""What the steps observe."""

EXAMINATION: Grants = (
    *DATABASE_SERVER,
    *DATABASES,
    *REDIS,
    *SERVICES,
    Grant(("elasticache:DescribeCacheClusters",), on.redis_members),
    Grant(("ssm:SendCommand",), on.scripts_on_vespas),
    Grant(
        (
            "cloudwatch:GetMetricData",
            "ec2:DescribeInstances",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
            "secretsmanager:BatchGetSecretValue",
            "ssm:DescribeInstanceInformation",
            "ssm:GetCommandInvocation",
        )
    ),
    Grant(("secretsmanager:GetSecretValue",), on.tenant_secrets),
    Grant(("secretsmanager:GetSecretValue",), on.redis_token),
    Grant(("iam:SimulatePrincipalPolicy",), on.roles),
    Grant(("logs:DescribeLogGroups",), on.log_groups),
    Grant(("acm:DescribeCertificate",), on.certificate),
    Grant(("s3:ListBucket",), on.bucket),
)
"""The doctor's checks."""

LOCK_FREED: Grants = (
    Grant(("s3:GetObject", "s3:DeleteObject"), on.lock),
    Grant(("s3:ListBucket",), on.lock_bucket),
)
LOCK: Grants = (*LOCK_FREED, Grant(("s3:PutObject",), on.lock))

RUN: Grants = (*LOOK, *REDIS_TOKEN, *REDEPLOY, *CHANGED_RECORDS, *EXAMINATION, *LOCK)
"""The steps, and the doctor where they fail."""

COMMANDS: Mapping[str, Grants] = {
    "apply": RUN,
    "plan": LOOK,
    "run": RUN,
    "dns plan": RECORDS_OF_OURS,
    "dns apply": (*RECORDS_OF_OURS, *CHANGED_RECORDS, *LOCK),
    "dns check": NOTHING,
    "dns undo": (*RECORDS, *CHANGED_RECORDS, *LOCK),
    "certificate": VALIDATION,
    "status": LOOK,
    "doctor": EXAMINATION,
    "history": NOTHING,
    "unlock": LOCK_FREED,
    "config": NOTHING,
    "policy": NOTHING,
    "demo": NOTHING,
    "local": NOTHING,
    "version": NOTHING,
}
"""Every command, and of each group either the group or all its members."""

TERRAFORMS = frozenset({"apply", "plan"})
"""They run Terraform too, whose own needs follow from its configuration and are not told here."""


def chosen(names: Sequence[str]) -> Sequence[str]:
    """The commands of these names, `dns` being all of its own; without any, all. Raises `Invalid` with the unknown."""
    if unknown := [name for name in names if not _called(name)]:
        fix = f"name one of {', '.join(COMMANDS)}"
        raise Invalid(*(Problem("command-unknown", f"there is no command {name!r}", "", fix) for name in unknown))
    found = (command for name in names for command in _called(name))
    return list(dict.fromkeys(found)) or list(COMMANDS)


def takes_lock(names: Iterable[str]) -> bool:
    """Whether one of these commands needs the stack's lock."""
    return any(grant.on is on.lock for name in names for grant in COMMANDS[name])


def _called(name: str) -> Iterable[str]:
    return [command for command in COMMANDS if command == name or command.startswith(f"{name} ")]
