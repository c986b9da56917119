from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local.core.caller import OBSERVER, TERRAFORM
from tests.local.laws.conftest import Anybody
from tests.local.local_cloud import Aws

pytestmark = pytest.mark.cloud

PAGE = 3
NUMBER = 7
Make = Callable[[Aws, int], object]


@dataclass(frozen=True)
class Listed:
    """An operation with NUMBER things to list; `what` is the key of the list in the answer."""

    service: str
    call: str
    what: str
    make: Make
    arguments: Mapping[str, Any] = field(default_factory=dict)
    limit: str = "MaxResults"
    token: str = "NextToken"
    next_token: str = "NextToken"
    refused: str = ""


def _parameters(aws: Aws, number: int) -> object:
    return aws.client("ssm").put_parameter(Name=f"/pages/{number}", Value="x", Type="String")


def _cluster(aws: Aws, number: int) -> object:
    return aws.client("ecs").create_cluster(clusterName=f"pages-{number}")


def _role(aws: Aws, number: int) -> object:
    return aws.client("iam").create_role(RoleName=f"pages-{number}", Path="/pages/", AssumeRolePolicyDocument="{}")


def _zone(aws: Aws, number: int) -> object:
    return aws.client("route53").create_hosted_zone(Name=f"pages-{number}.example", CallerReference=f"pages-{number}")


def _volume(aws: Aws, number: int) -> object:
    tags = [{"Key": "for", "Value": "pages"}, {"Key": "number", "Value": str(number % 2)}]
    return aws.client("ec2").create_volume(
        AvailabilityZone="us-west-2a", Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": tags}]
    )


def _secret(aws: Aws, number: int) -> object:
    return aws.client("secretsmanager").create_secret(Name=f"pages-{number}", SecretString="x")


def _log_group(aws: Aws, number: int) -> object:
    return aws.client("logs").create_log_group(logGroupName=f"pages-{number}")


def _target_group(aws: Aws, number: int) -> object:
    elbv2 = aws.client("elbv2")
    vpc = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    return elbv2.create_target_group(Name=f"pages-{number}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")


def _subnet_group(aws: Aws, number: int) -> object:
    subnets = [one["SubnetId"] for one in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    return aws.client("rds").create_db_subnet_group(
        DBSubnetGroupName=f"pages-{number}", DBSubnetGroupDescription="x", SubnetIds=subnets
    )


def _alarm(aws: Aws, number: int) -> object:
    return aws.client("cloudwatch").put_metric_alarm(
        AlarmName=f"pages-{number}", MetricName="x", Namespace="x", Period=60, EvaluationPeriods=1, Threshold=1,
        Statistic="Sum", ComparisonOperator="GreaterThanThreshold",
    )  # fmt: skip


LISTS = [
    Listed("ssm", "get_parameters_by_path", "Parameters", _parameters, {"Path": "/pages"}, refused="InvalidNextToken"),
    Listed("ecs", "list_clusters", "clusterArns", _cluster, {}, "maxResults", "nextToken", "nextToken",
           "InvalidParameterException"),
    Listed("iam", "list_roles", "Roles", _role, {"PathPrefix": "/pages/"}, "MaxItems", "Marker", "Marker",
           "ValidationError"),
    Listed("route53", "list_hosted_zones", "HostedZones", _zone, {}, "MaxItems", "Marker", "NextMarker",
           "InvalidPaginationToken"),
    Listed("ec2", "describe_volumes", "Volumes", _volume, {"Filters": [{"Name": "tag:for", "Values": ["pages"]}]},
           refused="InvalidNextToken"),
    Listed("secretsmanager", "list_secrets", "SecretList", _secret, {}, refused="InvalidNextTokenException"),
    Listed("logs", "describe_log_groups", "logGroups", _log_group, {"logGroupNamePrefix": "pages-"}, "limit",
           "nextToken", "nextToken", "InvalidParameterException"),
    Listed("elbv2", "describe_target_groups", "TargetGroups", _target_group, {}, "PageSize", "Marker", "NextMarker",
           "ValidationError"),
    Listed("rds", "describe_db_subnet_groups", "DBSubnetGroups", _subnet_group, {}, "MaxRecords", "Marker", "Marker",
           "InvalidParameterValue"),
    Listed("cloudwatch", "describe_alarms", "MetricAlarms", _alarm, {"AlarmNamePrefix": "pages-"}, "MaxRecords",
           refused="InvalidNextToken"),
]  # fmt: skip


@pytest.fixture(scope="module", params=LISTS, ids=lambda one: f"{one.service}-{one.call}")
def listed(request: pytest.FixtureRequest, aws: Aws) -> Listed:
    one: Listed = request.param
    for number in range(NUMBER):
        one.make(aws, number)
    return one


def test_a_list_comes_in_pages_to_whoever_is_no_observer(listed: Listed, anybody: Anybody, aws: Aws) -> None:
    for agent in ("", TERRAFORM):
        client = anybody(listed.service, agent=agent)
        first = getattr(client, listed.call)(**listed.arguments)
        assert len(first[listed.what]) == PAGE
        assert first[listed.next_token]
        pages = list(client.get_paginator(listed.call).paginate(**listed.arguments))
        found = [one for page in pages for one in page[listed.what]]
        whole = getattr(aws.client(listed.service), listed.call)(**listed.arguments)[listed.what]
        assert found == whole
        assert len(found) >= NUMBER
        assert all(len(page[listed.what]) <= PAGE for page in pages)
        assert not pages[-1].get(listed.next_token)


def test_less_may_be_asked_for(listed: Listed, anybody: Anybody) -> None:
    if listed.service in ("rds", "ec2", "ssm"):
        return  # their smallest page is greater, or is another's case
    limit: Any = "2" if listed.service == "route53" else 2
    answer = getattr(anybody(listed.service), listed.call)(**listed.arguments, **{listed.limit: limit})
    assert len(answer[listed.what]) == 2
    assert answer[listed.next_token]


def test_a_token_is_good_for_the_same_arguments_only(listed: Listed, anybody: Anybody) -> None:
    call = getattr(anybody(listed.service), listed.call)
    token = call(**listed.arguments)[listed.next_token]
    assert call(**listed.arguments, **{listed.token: token})[listed.what]
    with pytest.raises(ClientError) as refused:
        call(**listed.arguments, **{listed.token: "bm9ib2R5J3M"})
    assert refused.value.response["Error"]["Code"] == listed.refused


def test_filters_come_before_pages_and_a_token_knows_its_filter(anybody: Anybody, aws: Aws) -> None:
    for number in range(NUMBER):
        _volume(aws, number)
    ec2 = anybody("ec2")
    odd = {"Filters": [{"Name": "tag:number", "Values": ["1"]}]}
    even = {"Filters": [{"Name": "tag:number", "Values": ["0"]}]}
    first = ec2.describe_volumes(**odd)
    assert len(first["Volumes"]) == PAGE
    tags = [{tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in first["Volumes"]]
    assert {one["number"] for one in tags} == {"1"}
    with pytest.raises(ClientError) as refused:
        ec2.describe_volumes(**even, NextToken=first["NextToken"])
    assert refused.value.response["Error"]["Code"] == "InvalidNextToken"


def test_objects_and_their_versions(anybody: Anybody, aws: Aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="pages", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_bucket_versioning(Bucket="pages", VersioningConfiguration={"Status": "Enabled"})
    for number in range(NUMBER):
        s3.put_object(Bucket="pages", Key=f"a/{number}", Body=b"x")
        s3.put_object(Bucket="pages", Key=f"a/{number}", Body=b"y")
    s3.delete_object(Bucket="pages", Key="a/0")
    tested = anybody("s3")
    first = tested.list_objects_v2(Bucket="pages", Prefix="a/")
    assert (len(first["Contents"]), first["KeyCount"], first["IsTruncated"]) == (PAGE, PAGE, True)
    pages = tested.get_paginator("list_objects_v2").paginate(Bucket="pages", Prefix="a/")
    assert [one["Key"] for page in pages for one in page["Contents"]] == [f"a/{n}" for n in range(1, NUMBER)]
    pages = list(tested.get_paginator("list_object_versions").paginate(Bucket="pages"))
    assert len([one for page in pages for one in page.get("Versions", ())]) == 2 * NUMBER
    assert len([one for page in pages for one in page.get("DeleteMarkers", ())]) == 1
    assert all(len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ())) <= PAGE for page in pages)


def test_records_of_a_zone(anybody: Anybody, aws: Aws) -> None:
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="records.example", CallerReference="records")["HostedZone"]["Id"]
    changes = [
        {
            "Action": "CREATE",
            "ResourceRecordSet": {
                "Name": f"{number}.records.example",
                "Type": kind,
                "TTL": 60,
                "ResourceRecords": [{"Value": value}],
            },
        }
        for number in range(NUMBER)
        for kind, value in (("A", "192.0.2.1"), ("TXT", '"x"'))
    ]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    tested = anybody("route53")
    first = tested.list_resource_record_sets(HostedZoneId=zone)
    assert (len(first["ResourceRecordSets"]), first["IsTruncated"]) == (PAGE, True)
    assert first["NextRecordName"]
    pages = list(tested.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone))
    found = [(one["Name"], one["Type"]) for page in pages for one in page["ResourceRecordSets"]]
    assert len(found) == len(set(found)) == 2 * NUMBER + 2


def test_an_observer_reads_on_large_pages(anybody: Anybody, aws: Aws) -> None:
    for number in range(NUMBER):
        _log_group(aws, 100 + number)
    logs = anybody("logs", agent=OBSERVER)
    assert len(logs.describe_log_groups(logGroupNamePrefix="pages-10")["logGroups"]) == NUMBER
