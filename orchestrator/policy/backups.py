"""What taking backups needs, and deleting them; what destroys and restores takes its parts from here. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.database.lending import path_of
from orchestrator.policy import grants as on
from orchestrator.policy.grants import Condition, Grant, PolicyScope
from orchestrator.policy.pausing import NEIGHBOURS, SERVICES_AT_ZERO

OURS = "orchestrate:stack"
"""The tag of everything that a backup makes: the stack it is of."""


def vault(scope: PolicyScope) -> Sequence[str]:
    """The backups' bucket; where nobody has named one, whatever its random part is."""
    return (scope.arn("s3", _backups(scope), region=False, account=False),)


def unnamed(scope: PolicyScope) -> Sequence[str]:
    """Where nobody has named it, it is looked for among the account's, which know no resource."""
    return (on.ANY,) if scope.backups == _usual(scope) else ()


def _backups(scope: PolicyScope) -> str:
    return f"{scope.backups}*" if scope.backups == _usual(scope) else scope.backups


def _usual(scope: PolicyScope) -> str:
    """How the names begin that nobody has to choose (`lifecycle.vault`)."""
    return f"{scope.stack.stack}-backups-{scope.stack.account_id}"


def vault_objects(scope: PolicyScope) -> Sequence[str]:
    """What is in it."""
    return [f"{one}/*" for one in vault(scope)]


def objects(scope: PolicyScope) -> Sequence[str]:
    """What is in the stack's own bucket, if it has one."""
    return [f"{one}/*" for one in on.bucket(scope)]


def database_snapshots(scope: PolicyScope) -> Sequence[str]:
    """They are called after the stack and the backup: `onyx-prod-*` would be those of `onyx-prod-2` too."""
    name = f"snapshot:{scope.stack.stack}-????????-??????"
    return (scope.arn("rds", name),) if scope.stack.database.instance else ()


def cluster_snapshots(scope: PolicyScope) -> Sequence[str]:
    """The same of a cluster: RDS keeps them apart from instances'."""
    name = f"cluster-snapshot:{scope.stack.stack}-????????-??????"
    return (scope.arn("rds", name),) if scope.stack.database.cluster else ()


def volumes(scope: PolicyScope) -> Sequence[str]:
    """The contract names the instances, not their volumes."""
    return (scope.arn("ec2", "volume/*"),) if scope.stack.indexes else ()


def volume_snapshots(scope: PolicyScope) -> Sequence[str]:
    """EC2 gives them their ids."""
    return (scope.arn("ec2", "snapshot/*", account=False),) if scope.stack.indexes else ()


def load_balancer(scope: PolicyScope) -> Sequence[str]:
    """The stack's own."""
    return [one.arn for one in scope.stack.balancers]


def when_made(_scope: PolicyScope) -> Condition:
    """Tags may be given to new snapshots alone."""
    return {"StringEquals": {"ec2:CreateAction": ("CreateSnapshot",)}}


def of_this_stack(scope: PolicyScope) -> Condition:
    """Only what one of this stack's backups has made."""
    return {"StringEquals": {f"aws:ResourceTag/{OURS}": (scope.stack.stack,)}}


def copied_keys(scope: PolicyScope) -> Sequence[str]:
    """Secrets without which the data can't be read are copied under the name of the backups' bucket."""
    return (scope.arn("secretsmanager", f"secret:{_backups(scope)}/*"),)


def any_secret(scope: PolicyScope) -> Sequence[str]:
    """Which of them the data need stands in the task definitions only."""
    return (scope.arn("secretsmanager", "secret:*"),)


def made_by_terraform(scope: PolicyScope) -> Condition:
    """Secrets that are a part of this stack bear its name."""
    return {"StringEquals": {"aws:ResourceTag/Stack": (scope.stack.stack,)}}


def any_instance(scope: PolicyScope) -> Sequence[str]:
    """Which ones there will be, EC2 decides."""
    return (scope.arn("ec2", "instance/*"),) if on.instances(scope) else ()


def any_certificate(scope: PolicyScope) -> Sequence[str]:
    """Which one there will be, ACM decides."""
    return (scope.arn("acm", "certificate/*"),) if scope.stack.certificates else ()


def made_by_terraform_for_ssm(scope: PolicyScope) -> Condition:
    """The same of instances, in the words of SSM."""
    return {"StringEquals": {"ssm:resourceTag/Stack": (scope.stack.stack,)}}


def lent_urls_path(scope: PolicyScope) -> Sequence[str]:
    """Where the URLs of dumps are looked for; without a runner nothing is dumped."""
    return (scope.arn("ssm", f"parameter{path_of(scope.stack.stack)}"),) if scope.stack.runner else ()


def lent_urls(scope: PolicyScope) -> Sequence[str]:
    """Parameters that carry the URL of a dump to the runner."""
    return [f"{path}/*" for path in lent_urls_path(scope)]


def answers_of_runner(scope: PolicyScope) -> Sequence[str]:
    """The agent's state and what a script said know no resources."""
    return (on.ANY,) if scope.stack.runner else ()


NEWEST: Sequence[Grant] = (
    Grant(("s3:ListAllMyBuckets",), unnamed),
    Grant(("s3:ListBucket",), vault),
    Grant(("s3:GetObject",), vault_objects),
)
"""What the newest one holds."""
LISTED: Sequence[Grant] = (*NEWEST, Grant(("s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock"), vault))
"""Which backups there are, and what each says of itself."""

INDEXES: Sequence[Grant] = (
    Grant(("ssm:SendCommand",), on.scripts_on_indexes),
    Grant(("ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands"), on.answers_of_indexes),
)
"""Containers stopped and started, documents counted."""

KEYS: Sequence[Grant] = (
    Grant(("secretsmanager:DescribeSecret",), any_secret),
    Grant(("secretsmanager:GetSecretValue",), any_secret, made_by_terraform),
    Grant(("secretsmanager:CreateSecret", "secretsmanager:TagResource"), copied_keys),
)
"""Onyx's own key, where it would go with the stack (`aws/keys.py`): copied once, by its ARN in the task definition."""

TAKEN: Sequence[Grant] = (
    *LISTED,
    *INDEXES,
    *KEYS,
    Grant(
        (
            "s3:CreateBucket",
            "s3:GetBucketTagging",
            "s3:ListBucketVersions",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
        ),
        vault,
    ),
    Grant(("s3:DeleteObject", "s3:PutObject", "s3:PutObjectTagging"), vault_objects),
    Grant(("s3:ListBucket", "s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock"), on.bucket),
    Grant(("s3:GetObject", "s3:GetObjectTagging"), objects),
    Grant(("ecs:DescribeServices",), on.services),
    Grant(("ecs:DescribeTaskDefinition",)),
    Grant(("rds:CreateDBSnapshot",), on.database),
    Grant(("rds:CreateDBClusterSnapshot",), on.database_cluster),
    Grant(
        ("rds:CreateDBClusterSnapshot", "rds:AddTagsToResource", "rds:DescribeDBClusterSnapshots"), cluster_snapshots
    ),
    Grant(("rds:CreateDBSnapshot", "rds:AddTagsToResource", "rds:DescribeDBSnapshots"), database_snapshots),
    Grant(("ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"), on.answers_of_indexes),
    Grant(("ec2:CreateSnapshot",), volumes),
    Grant(("ec2:CreateSnapshot",), volume_snapshots),
    Grant(("ec2:CreateTags",), volume_snapshots, when_made),
)
"""A backup, and its verification."""

DUMPED: Sequence[Grant] = (
    Grant(("ssm:PutParameter", "ssm:DeleteParameters"), lent_urls),
    Grant(("ssm:GetParametersByPath",), lent_urls_path),
    Grant(("ssm:SendCommand",), on.scripts_whatever_the_transport),
    Grant(("ssm:DescribeInstanceInformation", "ssm:GetCommandInvocation", "ssm:ListCommands"), answers_of_runner),
)
"""Databases dumped or loaded by the runner, which gets a URL of S3 that is signed in the caller's name."""

QUIET: Sequence[Grant] = SERVICES_AT_ZERO
"""With the services stopped first."""

WOKEN: Sequence[Grant] = (
    Grant(("rds:StartDBInstance",), on.database),
    Grant(("rds:StartDBCluster",), on.database_cluster),
    Grant(("ec2:StartInstances",), on.instances),
)
"""Of a stack that is paused as a whole: what a backup reads from."""

ASLEEP_AGAIN: Sequence[Grant] = (
    *NEIGHBOURS,
    Grant(("rds:StopDBInstance",), on.database),
    Grant(("rds:StopDBCluster",), on.database_cluster),
    Grant(("ec2:StopInstances",), on.instances),
)
"""And it stays paused."""

AWAKE: Sequence[Grant] = (Grant(("ecs:UntagResource",), on.services),)
"""And started afterwards: what was remembered on them is forgotten."""

PRUNED: Sequence[Grant] = (
    *LISTED,
    Grant(("s3:ListBucketVersions",), vault),
    Grant(("s3:DeleteObjectVersion",), vault_objects),
    Grant(("rds:DeleteDBSnapshot",), database_snapshots),
    Grant(("rds:DeleteDBClusterSnapshot",), cluster_snapshots),
    Grant(("ec2:DescribeSnapshots",), on.answers_of_indexes),
    Grant(("ec2:DeleteSnapshot",), volume_snapshots, of_this_stack),
    Grant(("rds:DescribeDBSnapshots",), database_snapshots),
    Grant(("rds:DescribeDBClusterSnapshots",), cluster_snapshots),
    Grant(("secretsmanager:DeleteSecret", "secretsmanager:DescribeSecret"), copied_keys),
)

GUARDED: Sequence[Grant] = (
    Grant(("rds:DescribeDBInstances", "rds:ModifyDBInstance"), on.database),
    Grant(("rds:DescribeDBClusters", "rds:ModifyDBCluster"), on.database_cluster),
    Grant(("elasticloadbalancing:DescribeLoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancers")),
    Grant(("elasticloadbalancing:ModifyLoadBalancerAttributes",), load_balancer),
)
"""The protection against deletion, seen and taken away."""

DESTROYED: Sequence[Grant] = (
    *GUARDED,
    *NEIGHBOURS,
    Grant(
        (
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
            "elasticloadbalancing:DescribeTags",
        )
    ),
    Grant(("s3:GetBucketTagging",), on.bucket),
    Grant(("s3:ListBucket", "s3:ListBucketVersions"), on.bucket),
    Grant(("s3:DeleteObjectVersion", "s3:GetObject"), objects),
    Grant(("ec2:DescribeAddresses", "ec2:DescribeInstances", "ec2:DescribeNatGateways", "ec2:DescribeVolumes")),
    Grant(("elasticache:DescribeReplicationGroups",), on.redis),
)
"""What Terraform can't do by itself, and the look whether anything billable is left."""

RETURNED: Sequence[Grant] = (
    *LISTED,
    *INDEXES,
    Grant(("rds:DescribeDBInstances", "rds:ModifyDBInstance"), on.database),
    Grant(("rds:DescribeDBClusters", "rds:ModifyDBCluster"), on.database_cluster),
    Grant(("s3:GetObjectTagging", "s3:PutObject"), vault_objects),
    Grant(("s3:ListBucket", "s3:GetBucketTagging"), on.bucket),
    Grant(("s3:GetBucketVersioning", "s3:GetBucketPublicAccessBlock"), on.bucket),
    Grant(("s3:DeleteObject", "s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"), objects),
    Grant(("secretsmanager:GetSecretValue",), copied_keys),
    Grant(("secretsmanager:DescribeSecret",), any_secret),
    Grant(("secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"), any_secret, made_by_terraform),
    Grant(("ecs:DescribeTaskDefinition",)),
    Grant(("rds:DescribeDBSnapshots",), database_snapshots),
    Grant(("rds:DescribeDBClusterSnapshots",), cluster_snapshots),
    Grant(("ec2:DescribeSnapshots",)),
)
"""Files, keys and documents, and the proof; on a stack that lives, what is in their place goes."""

BORN_AGAIN: Sequence[Grant] = (
    Grant(("ssm:SendCommand",), any_instance, made_by_terraform_for_ssm),
    Grant(("acm:DescribeCertificate",), any_certificate, made_by_terraform),
)
"""What Terraform recreates gets other ids than the contract behind the policy has; secrets are in `RETURNED`."""
