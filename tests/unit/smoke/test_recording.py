from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3
import botocore.handlers
import pytest
from botocore.stub import Stubber

from tests.answers.shapes import model
from tests.smoke.differences import differences
from tests.smoke.recording import Recorder, line, plain, read

SECRET = "hunter2-of-customer-a"
OK = {"HTTPStatusCode": 200}


def described(operation: str, given: dict[str, Any], answer: dict[str, Any]) -> Any:
    service, _, name = operation.partition(":")
    return line(model(service).operation_model(name), given, answer, 0.25)


def test_of_values_only_what_the_service_lists_itself_is_kept() -> None:
    answer = {"services": [{"serviceName": SECRET, "launchType": "FARGATE", "desiredCount": 2}], "ResponseMetadata": OK}
    said = described("ecs:DescribeServices", {"cluster": SECRET, "services": [SECRET]}, answer)
    assert SECRET not in json.dumps(said)
    assert said["request"] == {"cluster": "string(21)", "services": "list(1)", "services[]": "string(21)"}
    assert said["answer"]["services[].launchType"] == "enum(FARGATE)"
    assert said["answer"]["services[].desiredCount"] == "integer"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Rate exceeded", "Rate exceeded"),
        ("User: arn:aws:iam::123456789012:user/bob is not authorized", "… … is not authorized"),
        ("The security group 'sg-0abc' does not exist", "The security group … does not exist"),
    ],
)
def test_of_an_error_the_words_that_name_nobody(words: str, kept: str) -> None:
    assert plain(words) == kept


def test_an_error_is_recorded_by_its_code() -> None:
    answer = {"Error": {"Code": "ClusterNotFoundException", "Message": "Cluster not found."}, "ResponseMetadata": OK}
    assert described("ecs:DescribeServices", {}, answer)["error"] == "ClusterNotFoundException"


def test_every_call_of_a_session_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.handlers.BUILTIN_HANDLERS", list(botocore.handlers.BUILTIN_HANDLERS))
    Recorder(tmp_path / "record", monotonic=lambda: 1.0).install()
    session = boto3.Session("a", "b", region_name="us-west-2")
    client = session.client("sts")
    with Stubber(client) as stubber:
        stubber.add_response(
            "get_caller_identity",
            {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/bob", "UserId": "u"},
        )
        client.get_caller_identity()
    (said,) = read(tmp_path / "record")
    assert said["call"] == "sts:GetCallerIdentity"
    assert "123456789012" not in json.dumps(said)


def test_differences_are_what_the_first_told_and_the_second_did_not() -> None:
    def answer(**members: Any) -> Any:
        return described("ecs:DescribeServices", {}, {"services": [members], "ResponseMetadata": OK})

    refused = {"Error": {"Code": "ThrottlingException", "Message": ""}, "ResponseMetadata": OK}
    theirs = [answer(serviceName="a", launchType="EC2"), described("ecs:DescribeServices", {}, refused)]
    found = differences([*theirs, described("sts:GetCallerIdentity", {}, {"Account": "1"})], [answer(status="ACTIVE")])
    assert found == [
        "ecs:DescribeServices: refuses with ThrottlingException; the other cloud never did",
        "ecs:DescribeServices: the answer has services[].launchType; the other cloud's never has",
        "ecs:DescribeServices: the answer has services[].serviceName; the other cloud's never has",
        "sts:GetCallerIdentity: never asked of the other cloud",
    ]
    assert differences(theirs, theirs) == []
