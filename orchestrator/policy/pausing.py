"""What stopping a stack, and starting it again, needs beside what every run does. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.policy import grants as on
from orchestrator.policy.grants import Condition, Grant, PolicyScope


def scalable_targets(scope: PolicyScope) -> Sequence[str]:
    """Application Auto Scaling gives them their ids."""
    return (scope.arn("application-autoscaling", "scalable-target/*"),)


def of_ecs(_scope: PolicyScope) -> Condition:
    """Only services' targets."""
    return {"StringEquals": {"application-autoscaling:service-namespace": ("ecs",)}}


SCALED: Sequence[Grant] = (
    Grant(("ecs:DescribeServices", "ecs:UpdateService"), on.services),
    Grant(("application-autoscaling:DescribeScalableTargets",)),
    Grant(("application-autoscaling:RegisterScalableTarget",), scalable_targets, of_ecs),
)
"""Services and their autoscaling, stopped or started."""

SERVICES_AT_ZERO: Sequence[Grant] = (*SCALED, Grant(("ecs:TagResource",), on.services))
"""And what they were is remembered on them."""

NEIGHBOURS: Sequence[Grant] = (
    Grant(
        (
            "ecs:DescribeServices",
            "ecs:DescribeTaskDefinition",
            "ecs:DescribeTasks",
            "ecs:ListClusters",
            "ecs:ListServices",
            "ecs:ListTasks",
        )
    ),
)
"""Who else uses what is about to be stopped, barred or lost: every service and task of the account is looked at."""

PAUSED: Sequence[Grant] = (
    *SERVICES_AT_ZERO,
    Grant(("rds:DescribeDBInstances", "rds:StopDBInstance", "rds:AddTagsToResource"), on.database),
    Grant(("rds:DescribeDBClusters", "rds:StopDBCluster", "rds:AddTagsToResource"), on.database_cluster),
    Grant(("rds:DescribeDBInstances",), on.cluster_members),
    Grant(("ec2:DescribeInstances",)),
    Grant(("ec2:StopInstances",), on.instances),
    *NEIGHBOURS,
)

ESTIMATED: Sequence[Grant] = (
    Grant(
        (
            "ec2:DescribeNatGateways",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeVolumes",
            "ecs:DescribeTaskDefinition",
        )
    ),
    Grant(("elasticache:DescribeReplicationGroups",), on.redis),
    Grant(("elasticache:DescribeCacheClusters",), on.redis_members),
)
"""What it costs, running and paused."""

RESUMED: Sequence[Grant] = (
    *SCALED,
    Grant(("ecs:UntagResource",), on.services),
    Grant(("rds:StartDBInstance", "rds:RemoveTagsFromResource"), on.database),
    Grant(("rds:StartDBCluster", "rds:RemoveTagsFromResource"), on.database_cluster),
    Grant(("ec2:StartInstances",), on.instances),
)

STANDING: Sequence[Grant] = (
    Grant(("ecs:DescribeServices",), on.services),
    Grant(("rds:DescribeDBInstances",), on.database),
    Grant(("rds:DescribeDBClusters",), on.database_cluster),
    Grant(("rds:DescribeDBInstances",), on.cluster_members),
    Grant(("ec2:DescribeInstances", "application-autoscaling:DescribeScalableTargets")),
)
"""Whether it is paused, and whether it stayed so."""
