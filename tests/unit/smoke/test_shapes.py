from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import pytest
from botocore.model import Shape

from tests.answers.shapes import model
from tests.smoke.differences import differences
from tests.smoke.shapes import line, plain, vocabulary

CANARIES = ("zzhunter", "zz-hunter", "zz_hunter", "zzhunter2", "arn:aws:ecs:us-west-2:210987654321:zz/hunter")
"""What nobody else would say, as somebody's names are spelled."""
SERVICES = ("acm", "ecs", "elasticache", "elbv2", "iam", "logs", "rds", "route53", "s3", "secretsmanager", "ssm", "sts")
DEEP = 6
OK = {"HTTPStatusCode": 200}


def refused(words: str, code: str = "Refused") -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": words}, "ResponseMetadata": {"HTTPStatusCode": 400}}


def described(operation: str, given: dict[str, Any], answer: dict[str, Any]) -> Any:
    service, _, name = operation.partition(":")
    return line("orchestrate", model(service).operation_model(name), given, answer, 0.25)


def filled(shape: Shape | None, text: str, depth: int = DEEP) -> Any:
    """A value of this shape with the text wherever a text can be."""
    made: Any = shape
    kind = made.type_name if made is not None else ""
    if kind == "structure":
        return {name: filled(member, text, depth - 1) for name, member in made.members.items()} if depth else {}
    if kind == "list":
        return [filled(made.member, text, depth - 1)] if depth else []
    if kind == "map":
        return {text: filled(made.value, text, depth - 1)} if depth else {}
    return {"string": text, "blob": text.encode(), "boolean": True}.get(kind, 210987654321)


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_of_anybodys_is_in_the_record_of_any_call(service: str) -> None:
    found = model(service)
    for name, text in zip(found.operation_names, cycle(CANARIES), strict=False):
        operation = found.operation_model(name)
        given, answer = filled(operation.input_shape, text), filled(operation.output_shape, text)
        for said in (answer if operation.output_shape else {}, refused(f"The {text} '{text}' is not {text}.")):
            written = json.dumps(line("terraform", operation, given if operation.input_shape else {}, said, 1.0))
            assert "hunter" not in written.lower(), name
            assert "210987654321" not in written, name


def test_of_values_only_what_the_service_lists_itself_is_kept() -> None:
    services = [{"serviceName": "customer-a", "launchType": "FARGATE", "desiredCount": 2, "status": "ACTIVE"}]
    said = described("ecs:DescribeServices", {"cluster": "prod"}, {"services": services, "ResponseMetadata": OK})
    assert said["request"] == {"cluster": "string(4)"}
    assert said["answer"] == {
        "services": "list(1)",
        "services[]": "structure",
        "services[].serviceName": "string(10)",
        "services[].launchType": "enum(FARGATE)",
        "services[].desiredCount": "integer",
        "services[].status": "word(ACTIVE)",
    }


@pytest.mark.parametrize(
    ("status", "kept"),
    [("available", "word(available)"), ("backing-up", "word(backing-up)"), ("hunter-b", "string(8)")],
)
def test_of_a_state_the_words_that_the_service_itself_has(status: str, kept: str) -> None:
    said = described("rds:DescribeDBInstances", {}, {"DBInstances": [{"DBInstanceStatus": status}]})
    assert said["answer"]["DBInstances[].DBInstanceStatus"] == kept


def test_an_answer_that_tells_of_an_error_is_none() -> None:
    answer = {"JobStatus": "FAILED", "Error": {"Code": "hunter", "Message": "hunter"}, "ResponseMetadata": OK}
    said = described("iam:GetServiceLastAccessedDetails", {}, answer)
    assert said["answer"]["Error.Code"] == "string(6)"
    assert "error" not in said


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("DBInstance not found.", "DBInstance not found."),
        ("User: arn:aws:iam::123456789012:user/bob is not authorized", "User: … is not authorized"),
        ("The security group 'sg-0abc' does not exist", "The security group … does not exist"),
        ("Role onyx-prod-execution not found", "Role … not found"),
    ],
)
def test_of_an_error_the_words_that_name_nobody(words: str, kept: str) -> None:
    assert plain(words, vocabulary("iam") | vocabulary("rds")) == kept


def test_a_word_of_the_request_is_somebodys_even_where_it_is_one_of_the_services() -> None:
    answer = refused("The role administrator does not exist.", "NoSuchEntity")
    said = described("iam:GetRole", {"RoleName": "Administrator"}, answer)
    assert said["error"] == "NoSuchEntity"
    assert said["words"] == "The role … does not exist."


def test_differences_are_what_the_first_told_and_the_second_did_not() -> None:
    def answer(**members: Any) -> Any:
        return described("ecs:DescribeServices", {}, {"services": [members], "ResponseMetadata": OK})

    theirs = [
        answer(serviceName="a", launchType="EC2", status="DRAINING"),
        described("ecs:DescribeServices", {}, refused("", "ThrottlingException")),
    ]
    found = differences([*theirs, described("sts:GetCallerIdentity", {}, {"Account": "1"})], [answer(status="ACTIVE")])
    assert found == [
        "ecs:DescribeServices: refuses with ThrottlingException; the other cloud never did",
        "ecs:DescribeServices: the answer has services[].launchType; the other cloud's never has",
        "ecs:DescribeServices: the answer has services[].serviceName; the other cloud's never has",
        "ecs:DescribeServices: services[].status is word(DRAINING); in the other cloud it never is",
        "sts:GetCallerIdentity: never asked of the other cloud",
    ]
    assert differences(theirs, theirs) == []
