"""AWS's limits of one call's arguments, a row each. What a model of botocore's says already is not repeated here."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.local.laws.measures import (
    Measure,
    condition_values,
    datapoints,
    items,
    json_octets,
    longest,
    number,
    octets,
    record_characters,
    record_elements,
    together,
)


@dataclass(frozen=True, slots=True)
class Limit:
    """`what` is the argument, or words for what is counted; `words` may hold `{number}`, `{most}` and `{least}`."""

    service: str
    operations: frozenset[str]
    what: str
    most: int
    measure: Measure
    code: str
    words: str
    source: str
    least: int = 0


_AWS = "https://docs.aws.amazon.com"
_ELB = f"{_AWS}/elasticloadbalancing/latest/APIReference"
_ECS = f"{_AWS}/AmazonECS/latest/APIReference"
_EC2 = f"{_AWS}/AWSEC2/latest/APIReference"
_RULES = f"{_AWS}/elasticloadbalancing/latest/application/load-balancer-limits.html"
_ROUTE53 = f"{_AWS}/Route53/latest/DeveloperGuide/DNSLimitations.html"
_S3 = f"{_AWS}/AmazonS3/latest/API"
_CLOUDWATCH = f"{_AWS}/AmazonCloudWatch/latest/APIReference"
_SSM = f"{_AWS}/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
_SECRETS = f"{_AWS}/secretsmanager/latest/userguide/reference_limits.html"


def _row(service: str, operations: str, what: str, most: int, measure: Measure, *said: str, least: int = 0) -> Limit:
    """`said`: code, words, source."""
    code, words, source = said
    return Limit(service, frozenset(operations.split()), what, most, measure, code, words, source, least)


def _balancing(operation: str, argument: str, words: str) -> Limit:
    source = f"{_ELB}/API_{operation}.html"
    return _row("elbv2", operation, argument, 20, items(argument), "ValidationError", words, source)


def _ecs(operation: str, argument: str, most: int, named: str) -> Limit:
    words = f"{named} can have at most {{most}} items."
    source = f"{_ECS}/API_{operation}.html"
    return _row("ecs", operation, argument, most, items(argument), "InvalidParameterException", words, source)


def _dns(what: str, most: int, measure: Measure, words: str) -> Limit:
    return _row("route53", "ChangeResourceRecordSets", what, most, measure, "InvalidChangeBatch", words, _ROUTE53)


def _records(service: str, most: int, source: str, operations: str = "*") -> Limit:
    words = "Invalid value {number} for MaxRecords. Must be between {least} and {most}"
    return _row(service, operations, "MaxRecords", most, number("MaxRecords"), "InvalidParameterValue", words, source,
                least=20)  # fmt: skip


def _by_id_or_in_pages(operation: str, identifiers: str, named: str) -> Limit:
    words = f"The parameter {named} cannot be used with the parameter maxResults"
    return _row("ec2", operation, f"{identifiers} beside MaxResults", 0, together(identifiers, "MaxResults"),
                "InvalidParameterCombination", words, f"{_EC2}/API_{operation}.html")  # fmt: skip


def _secret_size(argument: str) -> Limit:
    words = (
        f"1 validation error detected: Value at '{argument[0].lower()}{argument[1:]}' failed to satisfy constraint: "
        "Member must have length less than or equal to {most}"
    )
    return _row("secretsmanager", "CreateSecret PutSecretValue UpdateSecret", f"bytes of {argument}", 65_536,
                octets(argument), "ValidationException", words, _SECRETS)  # fmt: skip


def _parameter(tier: str, most: int, words: str) -> Limit:
    which = "Tier=='Advanced'" if tier == "Advanced" else "Tier!='Advanced' && Tier!='Intelligent-Tiering'"
    value = octets(f"[@][?{which}].Value | [0]")
    what = f"bytes of the value of a parameter ({tier})"
    return _row("ssm", "PutParameter", what, most, value, "ValidationException", words, _SSM)


ROWS: tuple[Limit, ...] = (
    _balancing("DescribeTargetGroups", "TargetGroupArns",
               "You cannot describe more than '{most}' target groups at a time"),
    _balancing("DescribeTargetGroups", "Names", "You cannot describe more than '{most}' target groups at a time"),
    _balancing("DescribeRules", "RuleArns", "You cannot describe more than '{most}' listener rules at a time"),
    _balancing("DescribeListeners", "ListenerArns", "You cannot describe more than '{most}' listeners at a time"),
    _balancing("DescribeTags", "ResourceArns", "You cannot describe tags of more than '{most}' resources at a time"),
    _balancing("DescribeLoadBalancers", "LoadBalancerArns",
               "Up to {most} load balancers can be described at a time, but {number} were specified"),
    _balancing("DescribeLoadBalancers", "Names",
               "Up to {most} load balancers can be described at a time, but {number} were specified"),
    _row("elbv2", "CreateRule ModifyRule", "condition values of a rule", 5,
         condition_values, "ValidationError",
         "A rule can only have '{most}' condition values", _RULES),
    _row("elbv2", "AddListenerCertificates", "Certificates", 1, items("Certificates"), "ValidationError",
         "Up to one certificate can be specified at a time", f"{_ELB}/API_AddListenerCertificates.html"),
    _row("elbv2", "CreateTargetGroup", "characters of Name", 32, items("Name"), "ValidationError",
         "Target group name cannot be longer than '{most}' characters", f"{_ELB}/API_CreateTargetGroup.html"),
    _row("elbv2", "CreateLoadBalancer", "characters of Name", 32, items("Name"), "ValidationError",
         "The load balancer name cannot be longer than '{most}' characters", f"{_ELB}/API_CreateLoadBalancer.html"),

    _ecs("DescribeServices", "services", 10, "service names"),
    _ecs("DescribeTasks", "tasks", 100, "taskIds"),
    _ecs("DescribeContainerInstances", "containerInstances", 100, "instanceIds"),
    _ecs("DescribeClusters", "clusters", 100, "clusterIds"),
    _ecs("DescribeCapacityProviders", "capacityProviders", 100, "capacityProviders"),
    _ecs("DescribeServiceDeployments", "serviceDeploymentArns", 20, "serviceDeploymentArns"),
    _ecs("DescribeServiceRevisions", "serviceRevisionArns", 20, "serviceRevisionArns"),
    _ecs("DeleteTaskDefinitions", "taskDefinitions", 10, "taskDefinitions"),
    _row("ecs", "RunTask", "count", 10, number("count"), "InvalidParameterException", "count can be at most {most}.",
         f"{_ECS}/API_RunTask.html"),
    _row("ecs", "RunTask StartTask", "bytes of overrides", 8192, json_octets("overrides"), "InvalidParameterException",
         "Container Overrides length must be at most {most}", f"{_ECS}/API_RunTask.html"),
    _row("ecs", "RegisterTaskDefinition", "bytes of the definition", 65_536, json_octets(), "ClientException",
         "Actual length: '{number}'. Max allowed length is '{most}' bytes.",
         f"{_AWS}/AmazonECS/latest/developerguide/service-quotas.html"),
    _row("ecs", "CreateCluster CreateService RegisterTaskDefinition RunTask TagResource", "tags", 50, items("tags"),
         "InvalidParameterException", "Tags can have a maximum size of {most}.", f"{_ECS}/API_Tag.html"),

    _row("ec2", "*", "Filters[].Values[]", 200, items("Filters[].Values[]"), "FilterLimitExceeded",
         "The maximum number of filter values specified on a single call is {most}", f"{_EC2}/API_Filter.html"),
    _row("ec2", "*", "characters of a filter's value", 255, longest("Filters[].Values[]"), "FilterLimitExceeded",
         "The maximum length for a filter value is {most} characters", f"{_EC2}/API_Filter.html"),
    _row("ec2", "DescribeInstances DescribeVolumes DescribeSnapshots DescribeTags DescribeNetworkInterfaces "
         "DescribeSecurityGroups DescribeSecurityGroupRules DescribeSubnets DescribeVpcs DescribeRouteTables "
         "DescribeInternetGateways DescribeNatGateways DescribeInstanceStatus", "MaxResults", 1000,
         number("MaxResults"), "InvalidParameterValue",
         "Value ( {number} ) for parameter maxResults is invalid. Expecting a value between {least} and {most}.",
         f"{_EC2}/API_DescribeInstances.html", least=5),
    _row("ec2", "DescribeInstanceStatus", "InstanceIds", 100, items("InstanceIds"), "InvalidRequest",
         "{number} exceeds the maximum number of instance IDs that can be specificied ({most}). Please specify fewer "
         "than {most} instance IDs.", f"{_EC2}/API_DescribeInstanceStatus.html"),
    _by_id_or_in_pages("DescribeInstances", "InstanceIds", "instancesSet"),
    _by_id_or_in_pages("DescribeVolumes", "VolumeIds", "volumeSet"),
    _by_id_or_in_pages("DescribeSnapshots", "SnapshotIds", "snapshotSet"),
    _row("ec2", "CreateTags DeleteTags", "Resources", 1000, items("Resources"), "InvalidParameterValue",
         "The maximum number of resources that can be tagged in one request is {most}", f"{_EC2}/API_CreateTags.html"),
    _row("ec2", "CreateTags", "Tags", 50, items("Tags"), "TagLimitExceeded",
         "More than {most} tags specified", f"{_AWS}/AWSEC2/latest/UserGuide/Using_Tags.html"),

    _records("rds", 100, f"{_AWS}/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html",
             "DescribeDBInstances DescribeDBSnapshots DescribeDBSubnetGroups DescribeDBParameterGroups "
             "DescribeDBParameters DescribeEvents DescribeDBEngineVersions"),
    _records("rds", 1000, f"{_AWS}/AmazonRDS/latest/APIReference/API_DescribeOrderableDBInstanceOptions.html",
             "DescribeOrderableDBInstanceOptions"),
    _records("elasticache", 100, f"{_AWS}/AmazonElastiCache/latest/APIReference/API_DescribeReplicationGroups.html",
             "DescribeReplicationGroups DescribeCacheClusters DescribeCacheSubnetGroups DescribeCacheParameterGroups"),
    _row("rds", "CreateDBInstance CreateDBSnapshot AddTagsToResource RestoreDBInstanceFromDBSnapshot", "Tags", 50,
         items("Tags"), "InvalidParameterValue", "Resource cannot have more than {most} tags",
         f"{_AWS}/AmazonRDS/latest/UserGuide/USER_Tagging.html"),

    _dns("ResourceRecord elements, an UPSERT's twice", 1000, record_elements,
         "[Number of records limit of {most} exceeded.]"),
    _dns("characters of all values, an UPSERT's twice", 32_000, record_characters,
         "[RDATA character limit of {most} exceeded.]"),
    _dns("values of one record", 400, longest("ChangeBatch.Changes[].ResourceRecordSet.ResourceRecords"),
         "[Cannot have more than {most} records in a RRSet.]"),

    _row("s3", "DeleteObjects", "Objects", 1000, items("Delete.Objects"), "MalformedXML",
         "The XML you provided was not well-formed or did not validate against our published schema",
         f"{_S3}/API_DeleteObjects.html"),
    _row("s3", "PutObject CopyObject CreateMultipartUpload", "bytes of Key", 1024, octets("Key"), "KeyTooLongError",
         "Your key is too long", f"{_AWS}/AmazonS3/latest/userguide/object-keys.html"),
    _row("s3", "PutObjectTagging", "tags", 10, items("Tagging.TagSet"), "BadRequest",
         "Object tags cannot be greater than {most}", f"{_S3}/API_PutObjectTagging.html"),
    _row("s3", "PutBucketTagging", "tags", 50, items("Tagging.TagSet"), "BadRequest",
         "Bucket tag count cannot be greater than {most}", f"{_S3}/API_PutBucketTagging.html"),

    _parameter("Standard", 4096, "Standard tier parameters support a maximum parameter value of {most} characters. To "
               "create a larger parameter value, upgrade the parameter to use the advanced-parameter tier."),
    _parameter("Advanced", 8192, "Advanced tier parameters support a maximum parameter value of {most} characters."),
    _row("ssm", "SendCommand", "bytes of Parameters", 65_536, json_octets("Parameters"), "ValidationException",
         "The size of the parameters exceeds the maximum of {most} bytes.",
         f"{_AWS}/general/latest/gr/ssm.html"),
    _secret_size("SecretString"),
    _secret_size("SecretBinary"),

    _row("cloudwatch", "GetMetricData", "MetricDataQueries", 500, items("MetricDataQueries"), "ValidationError",
         "The collection MetricDataQueries must not have a size greater than {most}.",
         f"{_CLOUDWATCH}/API_GetMetricData.html"),
    _row("cloudwatch", "GetMetricStatistics", "datapoints", 1440, datapoints, "InvalidParameterCombination",
         "You have requested up to {number} datapoints, which exceeds the limit of {most}. You may reduce the "
         "datapoints requested by increasing Period, or decreasing the time range.",
         f"{_CLOUDWATCH}/API_GetMetricStatistics.html"),
    _row("autoscaling", "DescribeAutoScalingGroups", "AutoScalingGroupNames", 50, items("AutoScalingGroupNames"),
         "ValidationError", "The number of group names cannot be greater than {most}.",
         f"{_AWS}/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html"),
    _row("application-autoscaling", "DescribeScalableTargets DescribeScalingPolicies", "ResourceIds", 50,
         items("ResourceIds || PolicyNames"), "ValidationException",
         "The number of resource IDs cannot be greater than {most}.",
         f"{_AWS}/autoscaling/application/APIReference/API_DescribeScalableTargets.html"),
)  # fmt: skip
