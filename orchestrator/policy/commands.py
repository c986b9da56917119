"""Command → what it needs. One entry a command: a test fails when one is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.errors import Invalid, Problem, correction
from orchestrator.index import PROVIDERS
from orchestrator.policy import backups, migrating, objects, pausing
from orchestrator.policy import grants as on
from orchestrator.policy.grants import Grant

Grants = Sequence[Grant]

NOTHING: Grants = ()
"""It asks AWS for nothing. (`sts:GetCallerIdentity` needs no permission.)"""

DATABASE_SERVER: Grants = (
    Grant(("rds:DescribeDBInstances",), on.database),
    Grant(("rds:DescribeDBClusters",), on.database_cluster),
    Grant(("rds:DescribeDBInstances",), on.cluster_members),
)
"""An instance is asked for alone, a cluster with its instances; of a server that isn't RDS's, nothing is."""

DATABASES: Grants = (
    Grant(("ssm:SendCommand",), on.scripts_on_runner),
    Grant(
        ("ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands", "ec2:DescribeInstances"),
        on.answers_of_scripts,
    ),
    Grant(("secretsmanager:GetSecretValue",), on.logins),
    Grant(("ssm:GetParameter",), on.login_parameters),
    Grant(("ssm:PutParameter", "ssm:DeleteParameters"), on.lent),
)
"""Through the runner, or directly. EC2 is asked when the runner's agent doesn't answer."""

ADMIN_SESSION: Grants = (
    Grant(("ssm:SendCommand",), on.scripts_on_runner),
    Grant(("ssm:GetCommandInvocation", "ssm:ListCommands"), on.answers_of_scripts),
    Grant(("secretsmanager:GetSecretValue",), on.admin_login),
    Grant(("ssm:GetParameter",), on.admin_parameter),
    Grant(("ssm:PutParameter", "ssm:DeleteParameters"), on.lent_of_admin),
)
"""Who is connected to the server, asked as its admin alone, and of a runner that is taken to answer."""

LENT_BEFORE: Grants = (Grant(("ssm:GetParametersByPath",), on.lent_path), Grant(("ssm:GetParametersByPath",), on.lent))
"""What a run that died has lent is deleted by the next one."""

REDIS: Grants = (Grant(("elasticache:DescribeReplicationGroups",), on.redis),)
REDIS_TOKEN: Grants = (Grant(("elasticache:ListTagsForResource",), on.redis_with_token),)
"""Whether a token is half set."""
REDIS_TOKEN_SET: Grants = (
    Grant(
        (
            "elasticache:AddTagsToResource",
            "elasticache:ModifyReplicationGroup",
            "elasticache:RemoveTagsFromResource",
        ),
        on.redis_with_token,
    ),
    Grant(("secretsmanager:GetSecretValue",), on.redis_token),
    Grant(("ssm:GetParameter",), on.redis_parameter),
)

INDEXES_SEEN: Grants = (
    Grant(("ssm:SendCommand",), on.scripts_on_indexes),
    Grant(
        (
            "ssm:DescribeInstanceInformation",
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        ),
        on.answers_of_indexes,
    ),
)
INDEXES: Grants = (
    *INDEXES_SEEN,
    Grant(("ec2:DescribeInstances",), on.answers_of_indexes),
    Grant(("ec2:DescribeInstanceAttribute",), on.indexes),
)
"""Their containers, inspected and recreated as their instance's user_data would."""

DEPLOYMENTS: Grants = (
    Grant(("ecs:ListServiceDeployments",), on.services),
    Grant(("ecs:DescribeServiceDeployments",), on.service_deployments),
)
"""ECS's own records: the stage of a native deployment, and why one failed."""
SERVICES: Grants = (
    Grant(("ecs:DescribeServices",), on.services),
    Grant(("ecs:ListTasks",), on.anywhere, on.in_cluster),
    Grant(("ecs:DescribeTasks",), on.tasks),
    Grant(("ecs:DescribeTaskDefinition", "elasticloadbalancing:DescribeTargetHealth")),
    Grant(("logs:GetLogEvents",), on.log_streams),
    *DEPLOYMENTS,
)
"""Rollouts, and why tasks failed."""

SITES: Grants = (
    Grant(
        (
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
        )
    ),
)
"""Which rule takes a site's visitors. What is behind it is among `SERVICES`."""

HEALTH_CHECKS: Grants = (Grant(("elasticloadbalancing:DescribeTargetGroups",)),)
"""How long they may take, of services that come up."""

REDEPLOY: Grants = (Grant(("ecs:UpdateService",), on.services), *HEALTH_CHECKS)

CONTINUING: Grants = (
    Grant(("ecs:DescribeServices",), on.services),
    *DEPLOYMENTS,
    Grant(("ecs:ContinueServiceDeployment",), on.service_deployments),
)

RECORDS_OF_ZONES: Grants = (
    Grant(("route53:ListHostedZonesByName",), on.route53),
    Grant(("route53:ListResourceRecordSets",), on.hosted_zones),
    Grant(("sts:AssumeRole",), on.dns_roles),
)
RECORDS: Grants = (*RECORDS_OF_ZONES, Grant(("route53:ListHostedZones",), on.route53))
"""And whether a name has a zone of its own."""
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

SNAPSHOTS: Grants = (
    Grant(("rds:DescribeDBSnapshots",), on.database),
    Grant(("rds:DescribeDBClusterSnapshots",), on.database_cluster),
)
"""What the database could be restored from."""
STORED: Grants = (Grant(("s3:ListBucket",), on.bucket), *INDEXES_SEEN, *backups.NEWEST)
"""Whether bucket and indexes hold data; where they don't, what the newest backup has."""
LOOK: Grants = (
    *DATABASE_SERVER,
    *DATABASES,
    *SNAPSHOTS,
    *STORED,
    *REDIS,
    *REDIS_TOKEN,
    *SERVICES,
    *HEALTH_CHECKS,
    *SITES,
    *RECORDS_OF_OURS,
)
"""What the steps of a run observe. For snapshots is asked where a database is gone."""
STATUS: Grants = (*LOOK, *INDEXES, *pausing.STANDING, *pausing.NEIGHBOURS)
"""Who else uses the database server is asked of a paused stack whose server runs."""

EXAMINATION: Grants = (
    *RECORDS_OF_OURS,
    *DATABASE_SERVER,
    *DATABASES,
    *REDIS,
    *SERVICES,
    Grant(("elasticache:DescribeCacheClusters",), on.redis_members),
    Grant(("ssm:SendCommand",), on.scripts_on_indexes),
    Grant(
        (
            "application-autoscaling:DescribeScalableTargets",
            "cloudwatch:GetMetricData",
            "ec2:DescribeInstances",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcEndpoints",
            "elasticloadbalancing:DescribeListenerCertificates",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeLoadBalancers",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTargetGroups",
            "secretsmanager:BatchGetSecretValue",
            "ssm:DescribeInstanceInformation",
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        )
    ),
    Grant(("secretsmanager:GetSecretValue",), on.tenant_secrets),
    Grant(("secretsmanager:GetSecretValue",), on.redis_token),
    Grant(("ssm:GetParameter",), on.tenant_parameters),
    Grant(("ssm:GetParameter",), on.redis_parameter),
    Grant(("iam:SimulatePrincipalPolicy",), on.roles),
    Grant(("iam:GetInstanceProfile",), on.profiles),
    Grant(("logs:DescribeLogGroups",), on.log_groups),
    Grant(("acm:DescribeCertificate",), on.certificates),
    Grant(("s3:ListBucket",), on.bucket),
)
"""The doctor's checks."""

LOCK_SEEN: Grants = (Grant(("s3:GetObject",), objects.lock), Grant(("s3:ListBucket",), objects.lock_bucket))
LOCK_FREED: Grants = (*LOCK_SEEN, Grant(("s3:DeleteObject",), objects.lock))
LOCK: Grants = (*LOCK_FREED, Grant(("s3:PutObject",), objects.lock))

CONTRACT: Grants = (Grant(("s3:GetObject",), objects.contract), Grant(("s3:ListBucket",), objects.contract_bucket))
"""A contract that is given as s3://BUCKET/KEY."""

RUN: Grants = (
    *LOOK,
    *LENT_BEFORE,
    *REDIS_TOKEN_SET,
    *INDEXES,
    *REDEPLOY,
    *CHANGED_RECORDS,
    *EXAMINATION,
    *pausing.NEIGHBOURS,
    *LOCK,
)
"""The steps, those on request too, and the doctor where they fail."""

HIDDEN: Grants = (
    Grant(("secretsmanager:BatchGetSecretValue",)),
    Grant(("secretsmanager:GetSecretValue",), on.hidden_secrets),
)
"""The secrets that are hidden in what is shown."""
TASK_LOGS: Grants = (Grant(("logs:FilterLogEvents",), on.log_streams),)
INDEX_LOGS: Grants = (
    Grant(("ssm:SendCommand",), on.scripts_on_indexes),
    Grant(
        (
            "ssm:GetCommandInvocation",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        ),
        on.answers_of_indexes,
    ),
)
TASKS: Grants = (
    Grant(("ecs:ListTasks",), on.anywhere, on.in_cluster),
    Grant(("ecs:DescribeTasks",), on.tasks),
)

SHELL: Grants = (
    Grant(("ssm:StartSession",), on.instances),
    Grant(("ssm:StartSession",), on.session_document),
    Grant(("ssm:ResumeSession", "ssm:TerminateSession", "ssmmessages:OpenDataChannel"), on.own_sessions),
)
"""And what the session-manager-plugin asks for, which this program becomes."""

STOPPING: Grants = (Grant(("ecs:StopServiceDeployment",), on.service_deployments),)
"""Of a deployment of which every task fails, beside older ones that run; of a failed one `REDEPLOY` is enough."""
REPAIRING: Grants = (*EXAMINATION, *SNAPSHOTS, *LENT_BEFORE, *INDEXES, *REDEPLOY, *STOPPING, *LOCK)
"""The doctor, before and after, and the steps that repair."""
EVIDENCE: Grants = (*EXAMINATION, *STATUS, *HIDDEN, *TASK_LOGS, *INDEX_LOGS, *TASKS)

BACKUP: Grants = (*DATABASE_SERVER, *DATABASES, *RECORDS_OF_ZONES, *backups.TAKEN, *LOCK)

QUIET_BACKUP: Grants = (
    *BACKUP,
    *backups.QUIET,
    *backups.AWAKE,
    *backups.WOKEN,
    *backups.ASLEEP_AGAIN,
)
"""With the services stopped, also of a stack that is paused."""

QUOTAS: Grants = (Grant(("servicequotas:GetServiceQuota",), on.anywhere),)
"""Asked for by a stack that is larger than AWS's defaults allow; denied, the defaults are taken for the account's."""

COMMANDS: Mapping[str, Grants] = {
    "apply": (*RUN, *QUOTAS),
    "plan": (*LOOK, *QUOTAS),
    "preflight": (*LOOK, *QUOTAS),
    "run": RUN,
    "dns plan": RECORDS_OF_OURS,
    "dns apply": (*RECORDS_OF_OURS, *CHANGED_RECORDS, *LOCK),
    "dns check": NOTHING,
    "dns undo": (*RECORDS, *CHANGED_RECORDS, *LOCK),
    "backup": BACKUP,
    "backup --stop-services": QUIET_BACKUP,
    "backup --dump": (*QUIET_BACKUP, *backups.DUMPED),
    "backup --prune": (*backups.PRUNED, *LOCK),
    "destroy": (*BACKUP, *backups.QUIET, *backups.WOKEN, *backups.DUMPED, *backups.DESTROYED),
    "restore": (
        *RUN,
        *pausing.RESUMED,
        *backups.QUIET,
        *backups.RETURNED,
        *backups.DUMPED,
        *backups.BORN_AGAIN,
    ),
    "certificate": VALIDATION,
    "status": STATUS,
    "doctor": EXAMINATION,
    "doctor --fix": REPAIRING,
    "doctor --bundle": EVIDENCE,
    "logs": (*HIDDEN, *TASK_LOGS),
    **{f"logs {one.name}": (*HIDDEN, *INDEX_LOGS) for one in PROVIDERS},
    "tasks": TASKS,
    "shell": SHELL,
    "explain": NOTHING,
    "history": NOTHING,
    "open": NOTHING,
    "serve": STATUS,
    "pause": (*ADMIN_SESSION, *pausing.PAUSED, *pausing.ESTIMATED, *LOCK),
    "resume": (*RUN, *pausing.RESUMED),
    "redeploy": (*SERVICES, *REDEPLOY, *EXAMINATION, *LOCK),
    "migrate": (*SERVICES, *REDEPLOY, *migrating.MIGRATED, *EXAMINATION, *LOCK),
    "upgrade": (*SERVICES, *REDEPLOY, *migrating.MIGRATED, *EXAMINATION, *INDEXES, *BACKUP, *LOCK),
    "continue": CONTINUING,
    "lock": LOCK_SEEN,
    "unlock": LOCK_FREED,
    "init": NOTHING,
    "contract": NOTHING,
    "completion": NOTHING,
    "config": NOTHING,
    "policy": NOTHING,
    "demo": NOTHING,
    "local": NOTHING,
    # What a fleet runs in each stack needs what that command's own entry says; `fleet policy` prints the rest.
    "fleet": NOTHING,
    "schedule": NOTHING,
    "version": NOTHING,
}
"""Every command, of each group either the group or all its members, and by themselves options that need more."""

TERRAFORMS = frozenset({"apply", "contract", "destroy", "init", "open", "plan", "preflight", "restore"})
"""They run Terraform too, whose own needs follow from its configuration and backend and are not told here."""

TAKES_CONTRACT = frozenset(
    {
        *("backup", "certificate", "continue", "contract", "dns", "doctor", "logs", "migrate", "open"),
        *("pause", "policy", "redeploy", "resume", "run", "serve", "shell", "status", "tasks", "upgrade"),
    }
)
"""They take `--contract`, which may be in S3."""


def needed(names: Iterable[str]) -> Iterator[Grant]:
    """What these commands need."""
    for name in names:
        yield from COMMANDS[name]
        if name.split()[0] in TAKES_CONTRACT:
            yield from CONTRACT


def chosen(names: Sequence[str]) -> Sequence[str]:
    """The commands of these names, `dns` being all of its own; without any, all. Raises `Invalid` with the unknown."""
    if unknown := [name for name in names if not _called(name)]:
        problems = ((name, correction(name, COMMANDS, "commands")) for name in unknown)
        raise Invalid(*(Problem("command-unknown", f"there is no command {name!r}", "", fix) for name, fix in problems))
    found = (command for name in names for command in _called(name))
    return list(dict.fromkeys(found)) or list(COMMANDS)


def takes_lock(names: Iterable[str]) -> bool:
    """Whether one of these commands needs the stack's lock."""
    return any(grant.on is objects.lock for name in names for grant in COMMANDS[name])


def _called(name: str) -> Iterable[str]:
    """The one of exactly this name, else all that begin with it."""
    return [name] if name in COMMANDS else [one for one in COMMANDS if one.startswith(f"{name} ")]
