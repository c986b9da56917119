"""Two accounts in one cloud: a bucket is one account's, and who says whose it must be is held to it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orchestrator.app.restoration import Restoration
from orchestrator.aws.buckets import Buckets
from orchestrator.aws.s3 import S3, Presence
from orchestrator.engine.clock import SystemClock
from orchestrator.errors import Invalid, OrchestratorError, Refused
from orchestrator.settings import Settings
from tests.local.local_cloud import Aws, LocalCloud

pytestmark = pytest.mark.cloud

OURS, OTHER = "123456789012", "999999999999"
REGION = "us-west-2"
HERE = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}


@pytest.fixture
def s3(aws: Aws) -> Any:
    return aws.client("s3")


@pytest.fixture
def squatter(aws: Aws) -> Any:
    """A client of another account: moto takes the account from a header. A client of its own, as `aws` has but one."""
    client: Any = boto3.Session("other", "other", region_name=REGION).client("s3", endpoint_url=aws.endpoint)

    def sign(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = OTHER

    client.meta.events.register("before-send.s3", sign)
    return client


def refused(call: Any, **given: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**given)
    return str(caught.value.response["Error"]["Code"])


def opened(squatter: Any, bucket: str) -> None:
    """As a squatter would: everybody may do everything, so that whoever comes notices nothing."""
    squatter.create_bucket(Bucket=bucket, **HERE)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    squatter.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [everybody]}))


def test_there_are_two_accounts(aws: Aws, squatter: Any) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == OURS
    squatter.create_bucket(Bucket="of-the-other", **HERE)
    assert [one["Name"] for one in squatter.list_buckets()["Buckets"]] == ["of-the-other"]


def test_another_accounts_bucket_is_closed_and_its_name_taken(s3: Any, squatter: Any) -> None:
    squatter.create_bucket(Bucket="theirs", **HERE)
    assert refused(s3.head_bucket, Bucket="theirs") == "403"
    assert refused(s3.list_objects_v2, Bucket="theirs") == "AccessDenied"
    assert refused(s3.create_bucket, Bucket="theirs", **HERE) == "BucketAlreadyExists"
    assert "theirs" not in [one["Name"] for one in s3.list_buckets()["Buckets"]]
    squatter.head_bucket(Bucket="theirs")


def test_who_lets_everybody_in_is_not_taken_for_another(s3: Any, squatter: Any) -> None:
    opened(squatter, "open-to-all")
    s3.put_object(Bucket="open-to-all", Key="k", Body=b"x")
    assert refused(s3.put_object, Bucket="open-to-all", Key="k", Body=b"x", ExpectedBucketOwner=OURS) == "AccessDenied"
    assert refused(s3.head_bucket, Bucket="open-to-all", ExpectedBucketOwner=OURS) == "403"
    s3.create_bucket(Bucket="mine", **HERE)
    s3.head_bucket(Bucket="mine", ExpectedBucketOwner=OURS)
    source = {"Bucket": "open-to-all", "Key": "k"}
    s3.copy_object(CopySource=source, Bucket="mine", Key="k")
    expected = {"ExpectedBucketOwner": OURS, "ExpectedSourceBucketOwner": OURS}
    assert refused(s3.copy_object, CopySource=source, Bucket="mine", Key="k", **expected) == "AccessDenied"


def test_a_squatted_bucket_is_never_written_to_or_read(s3: Any, squatter: Any) -> None:
    """Its owner lets everybody in; every call of ours is refused all the same."""
    opened(squatter, "squatted")
    squatter.put_object(Bucket="squatted", Key="20260101-120000/manifest.json", Body=b"{}")
    buckets = Buckets(s3, REGION, OURS)
    assert buckets.state("squatted").foreign
    with pytest.raises(Invalid, match="belongs to somebody else"):
        buckets.create("squatted")
    for call in (
        lambda: buckets.write("squatted", "k", "text"),
        lambda: buckets.read("squatted", "20260101-120000/manifest.json"),
        lambda: buckets.objects("squatted"),
        lambda: buckets.prefixes("squatted"),
        lambda: buckets.sha256("squatted", "20260101-120000/manifest.json"),
        lambda: list(buckets.versions("squatted")),
        lambda: buckets.delete("squatted", [("20260101-120000/manifest.json", "")]),
        lambda: buckets.protect("squatted", {"a": "b"}),
        lambda: buckets.tags("squatted"),
    ):
        with pytest.raises(Exception, match="AccessDenied"):
            call()
    assert [one["Key"] for one in squatter.list_objects_v2(Bucket="squatted")["Contents"]] == [
        "20260101-120000/manifest.json"
    ]


def test_a_manifest_in_a_squatted_bucket_is_not_believed(
    cloud: LocalCloud, squatter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says would decide what is made and copied."""
    opened(squatter, "believe-me")
    squatter.put_object(Bucket="believe-me", Key="20260101-120000/manifest.json", Body=b"{}")
    for name, value in cloud.env.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused) as caught:
        Restoration("s3://believe-me/20260101-120000/manifest.json", Settings(), cloud.env, SystemClock())
    assert [one.code for one in caught.value.problems] == ["backup-bucket-closed"]


def test_a_closed_bucket_is_neither_there_nor_missing(s3: Any, squatter: Any) -> None:
    squatter.create_bucket(Bucket="closed", **HERE)
    s3.create_bucket(Bucket="ours", **HERE)
    seen = S3(s3, OURS)
    assert (seen.presence("ours"), seen.presence("closed"), seen.presence("nowhere")) == (
        Presence.OURS,
        Presence.CLOSED,
        Presence.MISSING,
    )
    assert (seen.has("ours"), seen.has("closed")) == (True, False)


def test_the_accounts_own_buckets_are_found_by_the_beginning_of_their_names(s3: Any, squatter: Any) -> None:
    for name in ("onyx-prod-backups-1-aaaaaaaa", "onyx-prod-2-backups-1-bbbbbbbb"):
        s3.create_bucket(Bucket=name, **HERE)
    squatter.create_bucket(Bucket="onyx-prod-backups-1-cccccccc", **HERE)
    assert Buckets(s3, REGION, OURS).named("onyx-prod-backups-1") == ("onyx-prod-backups-1-aaaaaaaa",)


def test_an_object_that_the_buckets_policy_keeps_is_kept_whoever_asks(s3: Any) -> None:
    """A retention rule: the root user too is refused, object by object. A version is another action."""
    s3.create_bucket(Bucket="retained", **HERE)
    s3.put_bucket_versioning(Bucket="retained", VersioningConfiguration={"Status": "Enabled"})
    keep = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:DeleteObjectVersion",
        "Resource": "arn:aws:s3:::retained/legal/*",
    }
    everything = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [everything, keep]}
    s3.put_bucket_policy(Bucket="retained", Policy=json.dumps(policy))
    made = {key: s3.put_object(Bucket="retained", Key=key, Body=b"x")["VersionId"] for key in ("a", "legal/b")}
    objects = {"Objects": [{"Key": key, "VersionId": version} for key, version in made.items()]}
    said = s3.delete_objects(Bucket="retained", Delete=objects)
    assert [(one["Key"], one["VersionId"]) for one in said["Deleted"]] == [("a", made["a"])]
    assert [(one["Key"], one["VersionId"], one["Code"]) for one in said["Errors"]] == [
        ("legal/b", made["legal/b"], "AccessDenied")
    ]
    marker = s3.delete_objects(Bucket="retained", Delete={"Objects": [{"Key": "legal/b"}]})["Deleted"]
    assert [one["DeleteMarker"] for one in marker] == [True]

    ours = Buckets(s3, REGION, OURS)
    with pytest.raises(OrchestratorError) as caught:
        ours.delete("retained", ours.versions("retained"))
    assert [problem.code for problem in caught.value.problems] == ["access-denied"]
    assert "not deleted from retained: legal/b" in caught.value.problems[0].message
    assert {key for key, _ in ours.versions("retained")} == {"legal/b"}
