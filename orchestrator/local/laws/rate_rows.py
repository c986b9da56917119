"""How often one may ask, as rows of data: the figures that AWS publishes, and cautious ones where it publishes none.

A page that says only "a second" gives no burst: the bucket holds a second's calls then. What is not published
(`published`) is a guess on the strict side, so that who asks more often than that is shown it here first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Rate:
    """Operations of a service and their bucket: `size` tokens, of which `refill` come back in a second.

    The names of service and operations are botocore's; `*` is any ending.
    """

    service: str
    operations: tuple[str, ...]
    size: int
    refill: float
    source: str
    shared: bool = True
    """Whether the operations share the bucket; else each has one of its own."""
    beside: bool = False
    """Whether a call takes of it beside what it takes of its own row's."""
    published: bool = True
    note: str = ""
    counts_changes: bool = False
    """Whether it is the changes in a call that take tokens: an UPSERT two, it may take one record away for another."""

    def has(self, operation: str) -> bool:
        """Whether it is about the operation."""
        return any(fnmatchcase(operation, name) for name in self.operations)

    def cost(self, parameters: Mapping[str, Any]) -> int:
        """How many tokens a call with these parameters takes."""
        if not self.counts_changes:
            return 1
        changes = parameters.get("ChangeBatch", {}).get("Changes", ())
        return sum(2 if change.get("Action") == "UPSERT" else 1 for change in changes)


ACM = "https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html"
CLOUDWATCH = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html"
EC2 = "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html"
ECS = "https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html"
ELB = "https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html"
LOGS = "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"
QUOTAS = "https://docs.aws.amazon.com/general/latest/gr/servicequotas.html"
ROUTE53 = "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html"
SECRETS = "https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html"
SSM = "https://docs.aws.amazon.com/general/latest/gr/ssm.html"
RUNNERS = "https://github.com/github-aws-runners/terraform-aws-github-runner/issues/2944"
SCHEDULER = "https://github.com/aws-solutions/instance-scheduler-on-aws/issues/284"
CLI = "https://github.com/aws/aws-cli/issues/8604"
STS = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html"
NOT_PUBLISHED = "AWS publishes no figure: a cautious guess"


def _rate(service: str, operations: str, size: int, refill: float, source: str, **more: Any) -> Rate:
    return Rate(service, tuple(operations.split()), size, refill, source, **more)


def _guess(service: str, operations: str, size: int = 10, refill: float = 5, **more: Any) -> Rate:
    return _rate(service, operations, size, refill, NOT_PUBLISHED, shared=False, published=False, **more)


_READS = "Describe* Get* List* Search*"
_MADE_AND_REMOVED = (
    "CreateSnapshot CreateSnapshots CreateVolume CreateNetworkInterface DeleteSnapshot DeleteVolume "
    "DeleteNetworkInterface TerminateInstances"
)
ROWS = (
    _rate("acm", "ListCertificates", 8, 8, ACM),
    _rate("acm", "RequestCertificate AddTagsToCertificate RemoveTagsFromCertificate", 5, 5, ACM, shared=False),
    _rate(
        "acm", "DeleteCertificate DescribeCertificate GetCertificate ListTagsForCertificate", 10, 10, ACM, shared=False
    ),
    _guess("application-autoscaling", "*"),
    _rate("cloudwatch", "GetMetricData", 500, 500, CLOUDWATCH),
    _rate("ec2", "StartInstances RunInstances", 5, 2, EC2, shared=False),
    _rate("ec2", "CreateTags DeleteTags", 100, 10, EC2, shared=False),
    _rate("ec2", _MADE_AND_REMOVED, 100, 5, EC2, shared=False),
    _rate("ec2", "CreateNatGateway DeleteNatGateway", 10, 1, EC2, shared=False),
    _rate("ec2", _READS, 100, 20, EC2, shared=False),
    _rate("ec2", "*", 50, 5, EC2, shared=False),
    _rate("ecs", "DescribeClusters ListClusters", 50, 20, ECS),
    _rate("ecs", "DescribeServices ListServices", 100, 20, ECS),
    _rate(
        "ecs", "DescribeTasks DescribeContainerInstances ListTasks ListContainerInstances ListAttributes", 100, 20, ECS
    ),
    _rate("ecs", "DescribeTaskDefinition ListTaskDefinitions ListTaskDefinitionFamilies", 50, 20, ECS),
    _rate("ecs", "DeregisterTaskDefinition RegisterTaskDefinition", 20, 1, ECS),
    _rate("ecs", "CreateService UpdateService DeleteService", 50, 5, ECS),
    _rate(
        "ecs", "CreateCluster DeleteCluster PutClusterCapacityProviders UpdateCluster UpdateClusterSettings", 20, 1, ECS
    ),
    _rate("ecs", "ExecuteCommand RunTask StartTask StopTask", 100, 40, ECS),
    _rate("ecs", "TagResource UntagResource", 20, 10, ECS),
    _rate("ecs", "ListTagsForResource", 50, 20, ECS),
    _rate("ecs", "DescribeServiceDeployments ListServiceDeployments", 50, 20, ECS),
    _guess("ecs", "ContinueServiceDeployment StopServiceDeployment"),
    _guess("elasticache", "*"),
    _rate("elbv2", "*", 40, 10, ELB, beside=True),
    _rate("elbv2", "Describe*", 40, 10, ELB),
    _rate("elbv2", "CreateLoadBalancer SetSubnets", 10, 0.2, ELB),
    _rate("elbv2", "RegisterTargets DeregisterTargets", 20, 4, ELB),
    _rate("elbv2", "*", 20, 3, ELB),
    _guess("iam", "*"),
    _rate("logs", "DescribeLogGroups", 10, 10, LOGS),
    _rate("logs", "DescribeLogStreams", 25, 25, LOGS),
    _rate("logs", "FilterLogEvents", 10, 10, LOGS, note="in most regions; else 5 or 25"),
    _rate("logs", "GetLogEvents", 10, 10, LOGS, note="in us-west-2 and others; elsewhere 25 or 30"),
    _guess("logs", "ListTagsForResource"),
    _guess("rds", "*", note=f"reported by users: {CLI}"),
    _rate("route53", "*", 50, 10, ROUTE53, beside=True),
    _rate("route53", "ChangeResourceRecordSets", 1500, 100, ROUTE53, beside=True, counts_changes=True),
    _rate("route53", "CreateHostedZone", 40, 2, ROUTE53),
    _rate("route53", "DeleteHostedZone", 40, 5, ROUTE53),
    _rate("route53", "*", 50, 10, ROUTE53, shared=False),
    _rate("secretsmanager", "DescribeSecret GetSecretValue", 10_000, 10_000, SECRETS),
    _rate("secretsmanager", "PutSecretValue UpdateSecret UpdateSecretVersionStage", 50, 50, SECRETS),
    _guess("secretsmanager", "*", 50, 50, note="the lowest figure that the page gives for others"),
    _rate("service-quotas", "GetServiceQuota GetAWSDefaultServiceQuota", 5, 5, QUOTAS, shared=False),
    _rate("service-quotas", "List*", 10, 10, QUOTAS, shared=False),
    _rate("ssm", "GetParameter GetParameters GetParametersByPath", 40, 40, SSM),
    _guess("ssm", "PutParameter DeleteParameter DeleteParameters", 3, 3, note=f"confirmed by AWS's support: {RUNNERS}"),
    _guess("ssm", "*", note=f"reported by users: {SCHEDULER}"),
    _rate("sts", "*", 600, 600, STS),
)
"""Of the rows that fit an operation, it takes of the first one that is not `beside`, and of all that are."""


def rates_of(service: str, operation: str) -> tuple[Rate, ...]:
    """The rows that a call takes tokens of; none: it may be made as often as one likes."""
    fitting = [row for row in ROWS if row.service == service and row.has(operation)]
    own = [row for row in fitting if not row.beside][:1]
    return (*own, *(row for row in fitting if row.beside))
