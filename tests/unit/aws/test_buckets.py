"""Server-side copies while the source changes; names that are taken; versions. Against moto in process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto import mock_aws

from orchestrator.aws.buckets import Buckets, Stored
from orchestrator.errors import Invalid, Problem
from orchestrator.lifecycle.transfer import copy_all, gap, relative

REGION = "us-west-2"


@pytest.fixture
def s3() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        with mock_aws():
            client: Any = boto3.Session("local", "local", region_name=REGION).client("s3")
            for bucket in ("source", "target"):
                client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
            yield client


@pytest.fixture
def buckets(s3: Any) -> Buckets:
    return Buckets(s3, REGION)


def listed(buckets: Buckets, bucket: str, prefix: str = "") -> dict[str, Any]:
    return relative(buckets.objects(bucket, prefix), prefix)


def copied(buckets: Buckets, said: list[str], wanted: dict[str, Any]) -> None:
    ticks = iter(range(0, 10_000, 5))
    copy_all(
        buckets,
        wanted,
        lambda key: ("target", f"id/{key}"),
        "source",
        monotonic=lambda: float(next(ticks)),
        say=said.append,
    )


def test_what_is_deleted_or_changed_meanwhile_is_left_for_the_next_look(s3: Any, buckets: Buckets) -> None:
    for name in ("stays", "goes", "changes", "ünï/+ &"):
        s3.put_object(Bucket="source", Key=name, Body=name.encode())
    seen = listed(buckets, "source")
    s3.delete_object(Bucket="source", Key="goes")
    s3.put_object(Bucket="source", Key="changes", Body=b"changed")
    said: list[str] = []
    copied(buckets, said, seen)
    assert listed(buckets, "target", "id/").keys() - {"changes"} == {"stays", "ünï/+ &"}
    assert said
    assert "objects" in said[0]

    work = gap(listed(buckets, "source"), listed(buckets, "target", "id/"))
    assert (set(work.missing) <= {"changes"}, work.surplus) == (True, ())
    copied(buckets, said, dict(work.missing))
    assert gap(listed(buckets, "source"), listed(buckets, "target", "id/")).missing == {}
    assert buckets.sha256("target", "id/changes") == buckets.sha256("source", "changes")
    assert buckets.sha256("source", "goes") == ""


@pytest.mark.parametrize("code", ["404", "NoSuchKey", "412", "PreconditionFailed"])
def test_a_copy_of_what_is_no_longer_so_is_no_error(
    s3: Any, buckets: Buckets, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refused(**_: Any) -> None:
        raise s3.exceptions.ClientError({"Error": {"Code": code, "Message": "gone"}}, "CopyObject")

    monkeypatch.setattr(s3, "copy_object", refused)
    assert buckets.copy("source", Stored("k", 1, "e", 1.0), "target", "k") is False


def test_an_error_of_one_copy_ends_it_and_is_named(buckets: Buckets, s3: Any) -> None:
    for number in range(50):
        s3.put_object(Bucket="source", Key=str(number), Body=b"x")
    with pytest.raises(Exception, match="NoSuchBucket"):
        copy_all(
            buckets,
            listed(buckets, "source"),
            lambda key: ("nowhere", key),
            "source",
            monotonic=lambda: 0.0,
            say=lambda _text: None,
        )


def test_a_bucket_is_made_private_and_versioned_and_emptied_for_good(s3: Any, buckets: Buckets) -> None:
    assert not buckets.state("new").there
    buckets.create("new")
    buckets.create("new")
    buckets.protect("new", {"orchestrate:stack": "onyx-prod"})
    state = buckets.state("new")
    assert (state.there, state.versioned, state.private) == (True, True, True)
    buckets.write("new", "a/manifest.json", "first")
    buckets.write("new", "a/manifest.json", "second")
    s3.delete_object(Bucket="new", Key="a/manifest.json")
    assert buckets.read("new", "a/manifest.json") is None
    assert buckets.delete("new", buckets.versions("new")) == 3
    s3.delete_bucket(Bucket="new")


def test_a_name_that_somebody_else_has_is_said_so(s3: Any, buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(**_: Any) -> None:
        raise s3.exceptions.ClientError({"Error": {"Code": "BucketAlreadyExists", "Message": "taken"}}, "CreateBucket")

    monkeypatch.setattr(s3, "create_bucket", taken)
    with pytest.raises(Invalid) as caught:
        buckets.create("taken")
    found: Problem = caught.value.problems[0]
    assert found.code == "backup-bucket-taken"
    assert "--backup-bucket" in found.fix
