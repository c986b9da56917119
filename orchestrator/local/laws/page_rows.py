"""How much one page holds on AWS when nobody asks for less, and how each service refuses a token that is not its."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = 100
"""Items, where no row says otherwise."""


@dataclass(frozen=True, slots=True)
class Page:
    """An operation's page; the operation `*` is every other one of the service."""

    service: str
    operation: str
    most: int
    source: str


def _page(service: str, most: int, source: str, *operations: str) -> list[Page]:
    return [Page(service, operation, most, source) for operation in operations or ("*",)]


_AWS = "https://docs.aws.amazon.com"
_S3 = f"{_AWS}/AmazonS3/latest/API/API_ListObjectsV2.html"
_SSM = f"{_AWS}/systems-manager/latest/APIReference"
_ECS = f"{_AWS}/AmazonECS/latest/APIReference"
_CLOUDWATCH = f"{_AWS}/AmazonCloudWatch/latest/APIReference"
_SCALING = f"{_AWS}/autoscaling/application/APIReference"
_LOGS = f"{_AWS}/AmazonCloudWatchLogs/latest/APIReference"

PAGES: tuple[Page, ...] = (
    *_page("acm", 1000, f"{_AWS}/acm/latest/APIReference/API_ListCertificates.html"),
    *_page("application-autoscaling", 50, f"{_SCALING}/API_DescribeScalableTargets.html"),
    *_page("application-autoscaling", 10, f"{_SCALING}/API_DescribeScalingPolicies.html", "DescribeScalingPolicies"),
    *_page("autoscaling", 50, f"{_AWS}/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html"),
    *_page("autoscaling", 100, f"{_AWS}/autoscaling/ec2/APIReference/API_DescribeScalingActivities.html",
           "DescribeScalingActivities"),
    *_page("cloudwatch", 50, f"{_CLOUDWATCH}/API_DescribeAlarms.html"),
    *_page("cloudwatch", 500, f"{_CLOUDWATCH}/API_ListMetrics.html", "ListMetrics"),
    *_page("cloudwatch", 500, f"{_CLOUDWATCH}/API_GetMetricData.html", "GetMetricData"),
    *_page("ec2", 1000, f"{_AWS}/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination"),
    *_page("ecs", 100, f"{_ECS}/API_ListTasks.html"),
    *_page("ecs", 10, f"{_ECS}/API_ListServices.html", "ListServices", "ListServicesByNamespace"),
    *_page("ecs", 10, f"{_ECS}/API_ListAccountSettings.html", "ListAccountSettings"),
    *_page("elasticache", 100, f"{_AWS}/AmazonElastiCache/latest/APIReference/API_DescribeReplicationGroups.html"),
    *_page("elbv2", 400, f"{_AWS}/elasticloadbalancing/latest/APIReference/API_DescribeLoadBalancers.html"),
    *_page("events", 100, f"{_AWS}/eventbridge/latest/APIReference/API_ListRules.html"),
    *_page("iam", 100, f"{_AWS}/IAM/latest/APIReference/API_ListRoles.html"),
    *_page("kms", 50, f"{_AWS}/kms/latest/APIReference/API_ListAliases.html"),
    *_page("kms", 100, f"{_AWS}/kms/latest/APIReference/API_ListKeys.html", "ListKeys"),
    *_page("logs", 50, f"{_LOGS}/API_DescribeLogGroups.html"),
    *_page("logs", 10_000, f"{_LOGS}/API_FilterLogEvents.html", "FilterLogEvents"),
    *_page("rds", 100, f"{_AWS}/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html"),
    *_page("resourcegroupstaggingapi", 50,
           f"{_AWS}/resourcegroupstagging/latest/APIReference/API_GetResources.html"),
    *_page("route53", 100, f"{_AWS}/Route53/latest/APIReference/API_ListHostedZones.html"),
    *_page("route53", 300, f"{_AWS}/Route53/latest/APIReference/API_ListResourceRecordSets.html",
           "ListResourceRecordSets"),
    *_page("s3", 1000, _S3),
    *_page("s3", 10_000, f"{_AWS}/AmazonS3/latest/API/API_ListBuckets.html", "ListBuckets"),
    *_page("secretsmanager", 100, f"{_AWS}/secretsmanager/latest/apireference/API_ListSecrets.html"),
    *_page("service-quotas", 100, f"{_AWS}/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html"),
    *_page("ssm", 50, f"{_SSM}/API_DescribeParameters.html"),
    *_page("ssm", 10, f"{_SSM}/API_DescribeInstanceInformation.html", "DescribeInstanceInformation"),
    *_page("ssm", 10, f"{_SSM}/API_GetParametersByPath.html", "GetParametersByPath"),
)  # fmt: skip


def most_of(service: str, operation: str) -> int:
    """Items on one page of this operation when nobody asks for less."""
    return _MOST.get((service, operation), _MOST.get((service, "*"), DEFAULT))


_MOST = {(row.service, row.operation): row.most for row in PAGES}

REFUSED_TOKENS: dict[str, tuple[str, str]] = {
    "acm": ("ValidationException", "The NextToken is not valid."),
    "application-autoscaling": ("InvalidNextTokenException", "The next token supplied was invalid."),
    "autoscaling": ("InvalidNextToken", "The NextToken value is not valid."),
    "cloudwatch": ("InvalidNextToken", "The next token specified is invalid."),
    "ec2": ("InvalidNextToken", "The token is not valid."),
    "ecs": ("InvalidParameterException", "Invalid token."),
    "elasticache": ("InvalidParameterValue", "Invalid value for Marker."),
    "elbv2": ("ValidationError", "The marker is not valid."),
    "events": ("ValidationException", "The NextToken is not valid."),
    "iam": ("ValidationError", "Invalid Marker."),
    "kms": ("InvalidMarkerException", "Could not deserialize marker."),
    "logs": ("InvalidParameterException", "The specified nextToken is invalid."),
    "rds": ("InvalidParameterValue", "Invalid value for Marker."),
    "resourcegroupstaggingapi": ("PaginationTokenExpiredException", "The pagination token is not valid."),
    "route53": ("InvalidPaginationToken", "The marker is not valid for these arguments."),
    "s3": ("InvalidArgument", "The continuation token provided is incorrect"),
    "secretsmanager": ("InvalidNextTokenException", "The NextToken value is invalid."),
    "service-quotas": ("InvalidPaginationTokenException", "Invalid pagination token."),
    "ssm": ("InvalidNextToken", "The specified token is not valid."),
}
"""Service → code and words for a token of other arguments, or of nobody's."""
OTHERWISE = ("InvalidNextToken", "The token is not valid.")
