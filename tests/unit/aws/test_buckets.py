"""Server-side copies while the source changes; names that are taken; versions. Against moto in process."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto import mock_aws

from orchestrator.aws.buckets import Buckets, Stored
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient
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


def answering(*errors: dict[str, str]) -> tuple[Buckets, list[int]]:
    """S3 answers 200 to each DeleteObjects, with these errors in the first one."""
    calls: list[int] = []

    def delete_objects(**given: Any) -> dict[str, Any]:
        calls.append(len(given["Delete"]["Objects"]))
        return {"Errors": list(errors)} if len(calls) == 1 else {}

    return Buckets(SimpleNamespace(delete_objects=delete_objects), REGION), calls


def test_an_object_that_s3_kept_is_named_and_the_others_are_deleted() -> None:
    """The answer is 200. What may not be deleted names the action; the batches after it are sent all the same."""
    kept = {"Key": "legal/hold", "VersionId": "v7", "Code": "AccessDenied", "Message": "Access Denied"}
    buckets, calls = answering(kept)
    with pytest.raises(OrchestratorError) as caught:
        buckets.delete("files", [(f"k{number}", "1") for number in range(1500)])
    (problem,) = caught.value.problems
    assert (problem.code, problem.context) == ("access-denied", "s3:DeleteObjectVersion")
    assert "not deleted from files: legal/hold" in problem.message
    assert "s3:DeleteObjectVersion" in problem.fix
    assert calls == [1000, 500]
    assert not isinstance(caught.value, Transient)


def test_what_s3_kept_for_the_moment_may_be_deleted_later() -> None:
    buckets, _ = answering({"Key": "a", "Code": "InternalError", "Message": "We encountered an internal error."})
    with pytest.raises(Transient, match="not deleted from files: a: InternalError"):
        buckets.delete("files", [("a", ""), ("b", "")])


def test_reasons_are_told_apart_and_of_many_objects_a_few_are_named() -> None:
    slow = [
        {"Key": f"s{number}", "Code": "SlowDown", "Message": "Please reduce your request rate."} for number in range(9)
    ]
    buckets, _ = answering(*slow, {"Key": "x", "Code": "AccessDenied", "Message": "Access Denied"})
    with pytest.raises(OrchestratorError) as caught:
        buckets.delete("files", [("a", "")])
    assert [problem.code for problem in caught.value.problems] == ["throttled", "access-denied"]
    assert "s0, s1, s2 and 6 more" in caught.value.problems[0].message
    assert not isinstance(caught.value, Transient)


def test_what_was_gone_already_is_no_failure() -> None:
    buckets, _ = answering({"Key": "a", "VersionId": "1", "Code": "NoSuchVersion", "Message": "not there"})
    assert buckets.delete("files", [("a", "1")]) == 1
