"""With `--enforce-iam` the caller's policies judge each call, and a refusal is AWS's own, protocol by protocol."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import urllib3
from botocore.config import Config
from botocore.exceptions import ClientError

from orchestrator.local.endpoint import client
from orchestrator.local.iam.conditions import holds
from tests.local.local_cloud import Aws, LocalCloud, aws_of
from tests.waiting import until

pytestmark = pytest.mark.cloud

REGION = "us-west-2:123456789012"
NEW = {"Name": "a.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
CREATION = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": NEW}]}

As = Callable[..., Aws]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    folder = tmp_path_factory.mktemp("cloud")
    running = client.up("enforcing", folder, speed=300, enforce_iam=True)
    try:
        yield LocalCloud(folder, running, client.ask(running, "env"))
    finally:
        client.down(folder)


@pytest.fixture(scope="module")
def root(cloud: LocalCloud) -> Aws:
    return aws_of(cloud)


@pytest.fixture
def somebody(cloud: LocalCloud, root: Aws, request: pytest.FixtureRequest) -> Iterator[As]:
    """A user who may do what the statements say."""
    iam, name = root.client("iam"), "somebody"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]

    def allowed(*statements: dict[str, Any], secret: str = "") -> Aws:
        if statements:
            document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **each} for each in statements]}
            iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(document))
        session = boto3.Session(key["AccessKeyId"], secret or key["SecretAccessKey"], region_name="us-west-2")
        return Aws(session, cloud.running.endpoint)

    yield allowed
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    iam.delete_user(UserName=name)


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    said = caught.value.response
    return said["ResponseMetadata"]["HTTPStatusCode"], said["Error"]["Code"], said["Error"]["Message"]


def test_a_secret_under_a_key_is_opened_in_the_callers_name(root: Aws, somebody: As) -> None:
    """Through Secrets Manager: a permission that holds for another service is none."""
    key = root.client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = root.client("secretsmanager").create_secret(Name="under-a-key", SecretString="s", KmsKeyId=key)["ARN"]
    read = {"Action": "secretsmanager:*", "Resource": "*"}

    def opening(service: str) -> dict[str, Any]:
        through = {"StringEquals": {"kms:ViaService": f"{service}.us-west-2.amazonaws.com"}}
        return {"Action": "kms:Decrypt", "Resource": key, "Condition": through}

    denied = (400, "AccessDeniedException", "Access to KMS is not allowed")
    for statements in ([read], [read, opening("s3")]):
        client = somebody(*statements).client("secretsmanager")
        assert refusal(client.get_secret_value, SecretId=secret) == denied
        (error,) = client.batch_get_secret_value(SecretIdList=[secret])["Errors"]
        assert (error["ErrorCode"], error["Message"]) == denied[1:]
    allowed = somebody(read, opening("secretsmanager")).client("secretsmanager")
    assert allowed.get_secret_value(SecretId=secret)["SecretString"] == "s"
    assert [one["ARN"] for one in allowed.batch_get_secret_value(SecretIdList=[secret])["SecretValues"]] == [secret]
    assert refusal(allowed.put_secret_value, SecretId="under-a-key", SecretString="t") == denied, "it seals as well"


def test_an_instance_is_not_started_by_who_may_not_lend_the_key_of_its_volume(root: Aws, somebody: As) -> None:
    """EC2 takes the call, and stops it again: for AWS's own use only may the key be lent, and through EC2."""
    ec2, key = root.client("ec2"), root.client("kms").create_key()["KeyMetadata"]["Arn"]
    instance = ec2.run_instances(MinCount=1, MaxCount=1, ImageId=ec2.describe_images()["Images"][0]["ImageId"])
    one = {"InstanceIds": [instance["Instances"][0]["InstanceId"]]}
    zone = instance["Instances"][0]["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1, Encrypted=True, KmsKeyId=key)["VolumeId"]
    ec2.attach_volume(InstanceId=one["InstanceIds"][0], VolumeId=volume, Device="/dev/sdf")

    def seen() -> tuple[str, str]:
        (said,) = ec2.describe_instances(**one)["Reservations"][0]["Instances"]
        return said["State"]["Name"], said.get("StateReason", {}).get("Code", "")

    def lending(service: str) -> dict[str, Any]:
        through = {"kms:ViaService": f"{service}.us-west-2.amazonaws.com"}
        condition = {"StringEquals": through, "Bool": {"kms:GrantIsForAWSResource": "true"}}
        return {"Action": "kms:CreateGrant", "Resource": key, "Condition": condition}

    start = {"Action": "ec2:StartInstances", "Resource": "*"}
    for statements in ([start], [start, lending("rds")]):
        ec2.stop_instances(**one)
        until("it is stopped", lambda: seen() == ("stopped", "Client.UserInitiatedShutdown"))
        somebody(*statements).client("ec2").start_instances(**one)
        until("it is stopped again", lambda: seen() == ("stopped", "Client.InternalError"))
        root.client("ec2").start_instances(**one)
        until("whoever may start it, does", lambda: seen() == ("running", ""))
    ec2.stop_instances(**one)
    until("it is stopped", lambda: seen()[0] == "stopped")
    somebody(start, lending("ec2")).client("ec2").start_instances(**one)
    until("it runs", lambda: seen() == ("running", ""))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "status", "code", "needed"),
    [
        (
            "ecs",
            "describe_services",
            {"cluster": "c", "services": ["s"]},
            400,
            "AccessDeniedException",
            f"ecs:DescribeServices on resource: arn:aws:ecs:{REGION}:service/c/s",
        ),
        (
            "rds",
            "describe_db_instances",
            {"DBInstanceIdentifier": "db"},
            403,
            "AccessDenied",
            f"rds:DescribeDBInstances on resource: arn:aws:rds:{REGION}:db:db",
        ),
        ("ec2", "describe_instances", {}, 403, "UnauthorizedOperation", "ec2:DescribeInstances"),
        ("elbv2", "describe_load_balancers", {}, 403, "AccessDenied", "elasticloadbalancing:DescribeLoadBalancers"),
        (
            "s3",
            "get_object",
            {"Bucket": "b", "Key": "k"},
            403,
            "AccessDenied",
            "s3:GetObject on resource: arn:aws:s3:::b/k",
        ),
        (
            "route53",
            "change_resource_record_sets",
            {"HostedZoneId": "Z1", "ChangeBatch": CREATION},
            403,
            "AccessDenied",
            "route53:ChangeResourceRecordSets on resource: arn:aws:route53:::hostedzone/Z1",
        ),
        (
            "cloudwatch",
            "get_metric_data",
            {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
            403,
            "AccessDenied",
            "cloudwatch:GetMetricData",
        ),
        (
            "ssm",
            "send_command",
            {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-0123456789abcdef0"]},
            400,
            "AccessDeniedException",
            "ssm:SendCommand on resource: arn:aws:ssm:us-west-2::document/AWS-RunShellScript",
        ),
        (
            "ssm",
            "start_session",
            {"Target": "i-1"},
            400,
            "AccessDeniedException",
            f"ssm:StartSession on resource: arn:aws:ec2:{REGION}:instance/i-1",
        ),
        (
            "ssm",
            "get_parameters_by_path",
            {"Path": "/orchestrate/onyx"},
            400,
            "AccessDeniedException",
            f"ssm:GetParametersByPath on resource: arn:aws:ssm:{REGION}:parameter/orchestrate/onyx",
        ),
        (
            "secretsmanager",
            "create_secret",
            {"Name": "kept/key", "SecretString": "x"},
            400,
            "AccessDeniedException",
            f"secretsmanager:CreateSecret on resource: arn:aws:secretsmanager:{REGION}:secret:kept/key-??????",
        ),
    ],
)
def test_a_refusal_is_awss_own(
    somebody: As, service: str, operation: str, parameters: dict[str, Any], status: int, code: str, needed: str
) -> None:
    said = refusal(getattr(somebody().client(service), operation), **parameters)
    assert said[:2] == (status, code)
    assert f"user/somebody is not authorized to perform: {needed} because no identity-based policy allows" in said[2]


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ecs", "list_clusters", "InvalidSignatureException"),
        ("rds", "describe_db_instances", "SignatureDoesNotMatch"),
        ("route53", "list_hosted_zones", "SignatureDoesNotMatch"),
        ("ec2", "describe_instances", "AuthFailure"),
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_secret_is_no_signature(somebody: As, service: str, operation: str, code: str) -> None:
    assert refusal(getattr(somebody(secret="wrong").client(service), operation))[1] == code


def test_every_identity_may_ask_who_it_is(somebody: As) -> None:
    assert somebody().client("sts").get_caller_identity()["Arn"].endswith(":user/somebody")


def test_a_policy_counts_for_its_resources_only(somebody: As, root: Aws) -> None:
    s3 = root.client("s3")
    s3.create_bucket(Bucket="ours", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    mine = somebody({"Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::ours/state*"}).client("s3")
    mine.put_object(Bucket="ours", Key="state.lock", Body=b"mine")
    assert mine.get_object(Bucket="ours", Key="state.lock")["Body"].read() == b"mine"
    assert refusal(mine.put_object, Bucket="ours", Key="other", Body=b"x")[:2] == (403, "AccessDenied")
    assert refusal(mine.delete_object, Bucket="ours", Key="state.lock")[:2] == (403, "AccessDenied")
    assert "s3:ListBucket" in refusal(mine.get_object, Bucket="ours", Key="state.missing")[2]


def test_what_moto_takes_for_the_bucket_itself_is_asked_for_by_its_own_name(somebody: As, root: Aws) -> None:
    s3 = root.client("s3")
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    s3.put_object(Bucket="kept", Key="a ü", Body=b"x", Tagging="k=v")
    mine = somebody({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::kept/copy"}).client("s3")
    copied = {"Bucket": "kept", "Key": "copy", "CopySource": {"Bucket": "kept", "Key": "a ü"}}
    assert "s3:GetObject on resource: arn:aws:s3:::kept/a ü" in refusal(mine.copy_object, **copied)[2]
    for call, action in (
        (mine.get_public_access_block, "s3:GetBucketPublicAccessBlock"),
        (mine.list_object_versions, "s3:ListBucketVersions"),
    ):
        assert f"{action} on resource: arn:aws:s3:::kept" in refusal(call, Bucket="kept")[2]
    objects = {"Objects": [{"Key": "a", "VersionId": "1"}]}
    (denied,) = mine.delete_objects(Bucket="kept", Delete=objects)["Errors"]
    assert (denied["Key"], denied["VersionId"], denied["Code"]) == ("a", "1", "AccessDenied")
    assert "s3:DeleteObjectVersion on resource: arn:aws:s3:::kept/a" in denied["Message"]
    mine = somebody({"Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::kept/*"}).client("s3")
    assert "s3:GetObjectTagging" in refusal(mine.copy_object, **copied)[2]


def test_of_several_objects_those_that_may_not_be_deleted_stay(somebody: As, root: Aws) -> None:
    """The answer is 200; also where nothing at all may be deleted."""
    s3 = root.client("s3")
    s3.create_bucket(Bucket="mixed", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for key in ("ours/1", "theirs/1", "ours/2"):
        s3.put_object(Bucket="mixed", Key=key, Body=b"x")
    objects = {"Objects": [{"Key": key} for key in ("ours/1", "theirs/1", "ours/2")], "Quiet": True}
    nothing = somebody().client("s3").delete_objects(Bucket="mixed", Delete=objects)
    assert len(nothing["Errors"]) == 3
    mine = somebody({"Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::mixed/ours/*"}).client("s3")
    said = mine.delete_objects(Bucket="mixed", Delete=objects)
    assert [(one["Key"], one["Code"]) for one in said["Errors"]] == [("theirs/1", "AccessDenied")]
    assert not said.get("Deleted")
    assert [one["Key"] for one in s3.list_objects_v2(Bucket="mixed")["Contents"]] == ["theirs/1"]


def test_a_volume_s_snapshot_is_deleted_by_its_tag(somebody: As, root: Aws) -> None:
    ec2 = root.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-west-2a", Size=1)["VolumeId"]
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "orchestrate:stack", "Value": "ours"}]}]
    ours = ec2.create_snapshot(VolumeId=volume, TagSpecifications=tags)["SnapshotId"]
    theirs = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    mine = somebody(
        {
            "Action": "ec2:DeleteSnapshot",
            "Resource": "arn:aws:ec2:us-west-2::snapshot/*",
            "Condition": {"StringEquals": {"aws:ResourceTag/orchestrate:stack": "ours"}},
        },
        {"Action": "ec2:CreateSnapshot", "Resource": "*"},
    ).client("ec2")
    assert refusal(mine.delete_snapshot, SnapshotId=theirs)[1] == "UnauthorizedOperation"
    mine.delete_snapshot(SnapshotId=ours)
    mine.create_snapshot(VolumeId=volume)
    assert "ec2:CreateTags" in refusal(mine.create_snapshot, VolumeId=volume, TagSpecifications=tags)[2]


def test_an_explicit_deny_wins(somebody: As) -> None:
    ec2 = somebody(
        {"Action": "ec2:*", "Resource": "*"}, {"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": "*"}
    ).client("ec2")
    ec2.describe_subnets()
    assert "with an explicit deny in an identity-based policy" in refusal(ec2.describe_vpcs)[2]


def test_a_condition_narrows_the_names_that_may_be_changed(somebody: As, root: Aws) -> None:
    zone = root.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    names = {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["a.example.com"]}
    route53 = somebody(
        {
            "Action": "route53:ChangeResourceRecordSets",
            "Resource": "arn:aws:route53:::hostedzone/*",
            "Condition": {"ForAllValues:StringEquals": names},
        }
    ).client("route53")
    other = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": NEW | {"Name": "b.example.com"}}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=CREATION)
    assert refusal(route53.change_resource_record_sets, HostedZoneId=zone, ChangeBatch=other)[1] == "AccessDenied"


def test_a_batch_of_secrets_is_answered_secret_by_secret(somebody: As, root: Aws) -> None:
    manager = root.client("secretsmanager")
    ours, theirs = (manager.create_secret(Name=name, SecretString="x")["ARN"] for name in ("ours", "theirs"))
    mine = somebody(
        {"Action": "secretsmanager:BatchGetSecretValue", "Resource": "*"},
        {"Action": "secretsmanager:GetSecretValue", "Resource": ours},
    ).client("secretsmanager")
    said = mine.batch_get_secret_value(SecretIdList=[ours, theirs])
    assert [one["ARN"] for one in said["SecretValues"]] == [ours]
    assert [(one["SecretId"], one["ErrorCode"]) for one in said["Errors"]] == [(theirs, "AccessDeniedException")]


def test_what_was_decided_is_told(somebody: As, cloud: LocalCloud) -> None:
    refusal(somebody().client("elasticache").describe_replication_groups, ReplicationGroupId="g")
    told = {"principal": "arn:aws:iam::123456789012:user/somebody", "action": "elasticache:DescribeReplicationGroups"}
    group = f"arn:aws:elasticache:{REGION}:replicationgroup:g"
    assert told | {"resource": group, "decision": "implicitDeny", "calls": 1} in cloud.ask("audit")


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ({}, [], True),
        ({"StringEquals": {"K": "a"}}, ["a"], True),
        ({"StringEquals": {"K": ["b", "a"]}}, ["a"], True),
        ({"StringEquals": {"K": "a"}}, ["b"], False),
        ({"StringEquals": {"K": "a*"}}, ["ab"], False),
        ({"StringLike": {"K": "a*"}}, ["ab"], True),
        ({"StringEquals": {"K": "a"}}, [], False),
        ({"ForAllValues:StringEquals": {"K": ["a", "b"]}}, ["a", "b"], True),
        ({"ForAllValues:StringEquals": {"K": ["a"]}}, ["a", "b"], False),
        ({"ForAllValues:StringEquals": {"K": ["a"]}}, [], True),
        ({"NumericLessThan": {"K": "1"}}, ["0"], False),
        ({"StringEquals": {"K": "a", "Other": "b"}}, ["a"], False),
    ],
)
def test_conditions(condition: dict[str, Any], values: list[str], expected: bool) -> None:
    assert holds(condition, {"k": values}) is expected


def fetched(url: str) -> tuple[int, str]:
    """The status, and S3's error code if there is one."""
    answer = urllib3.request("GET", url, retries=False)
    return answer.status, answer.data.decode().partition("<Code>")[2].partition("</Code>")[0]


def test_a_signed_url_is_its_signers_for_as_long_as_it_says(root: Aws, somebody: As) -> None:
    s3 = root.client("s3")
    s3.create_bucket(Bucket="signed", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
    for key in ("kept", "other"):
        s3.put_object(Bucket="signed", Key=key, Body=b"x")
    mine = {"Action": "s3:GetObject", "Resource": "arn:aws:s3:::signed/kept"}

    def url(aws: Aws, key: str, seconds: int = 60) -> str:
        signer = aws.client("s3", config=Config(signature_version="s3v4"))
        return str(
            signer.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": key}, ExpiresIn=seconds)
        )

    caller = somebody(mine)
    assert fetched(url(caller, "kept")) == (200, "")
    assert fetched(url(root, "other")) == (200, "")
    assert fetched(url(caller, "other")) == (403, "AccessDenied")
    assert fetched(url(caller, "kept").replace("/kept?", "/other?")) == (403, "SignatureDoesNotMatch")
    assert fetched(url(somebody(secret="wrong"), "kept")) == (403, "SignatureDoesNotMatch")
    assert fetched(url(caller, "kept", seconds=-1)) == (403, "AccessDenied")
    stranger = Aws(boto3.Session("AKIAIOSFODNN7EXAMPLE", "x", region_name="us-west-2"), caller.endpoint)
    assert fetched(url(stranger, "kept")) == (403, "InvalidAccessKeyId")
