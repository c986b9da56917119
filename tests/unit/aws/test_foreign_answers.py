"""What somebody in between answers in AWS's place is never taken for AWS's answer."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from orchestrator.aws.environment import EnvironmentSession
from orchestrator.aws.errors import translated
from orchestrator.aws.foreign_answers import ForeignAnswerError
from orchestrator.aws.pages import items
from orchestrator.errors import OrchestratorError, Transient

PAGE = b"<html><body>Please <b>sign in<br></body></html>"
TIDY = b"<!DOCTYPE html><html xmlns='http://www.w3.org/1999/xhtml'><body>Blocked</body></html>"
WORDS = b"Access to this site is blocked"
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "sts": ("get_caller_identity", {}),
    "ec2": ("describe_instances", {}),
    "ecs": ("list_clusters", {}),
    "route53": ("list_hosted_zones", {}),
    "s3": ("list_objects_v2", {"Bucket": "b"}),
    "cloudwatch": ("get_metric_data", {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1}),
}
"""A service of each protocol."""


@dataclass
class InBetween:
    """Answers every call of AWS, whatever is asked."""

    said: tuple[int, bytes] = (200, b"")

    def __post_init__(self) -> None:
        inner: Any = EnvironmentSession({})
        inner.set_credentials("a", "b")
        session: Any = boto3.Session(botocore_session=inner, region_name="us-west-2")
        self.clients = {service: session.client(service) for service in (*CALLS, "ssm")}
        for one in self.clients.values():
            one.meta.events.register_last("before-send", self.answer)

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        status, body = self.said
        raw: Any = io.BytesIO(body)
        said: Any = AWSResponse(request.url, status, {"content-type": "text/html"}, raw)  # type: ignore[arg-type]
        if request.url.endswith("/streamed"):
            return said  # type: ignore[no-any-return]
        said._content = body
        return said  # type: ignore[no-any-return]

    def client(self, service: str, status: int, body: bytes) -> Any:
        """One that is answered so from now on."""
        self.said = status, body
        return self.clients[service]


@pytest.fixture(scope="module")
def between() -> InBetween:
    return InBetween()


@pytest.mark.parametrize("service", CALLS)
def test_a_page_in_place_of_an_answer_is_said_to_be_one(between: InBetween, service: str) -> None:
    operation, given = CALLS[service]
    words = [] if service == "cloudwatch" else [WORDS]  # a binary protocol: any words may be an answer
    for status, body in itertools.product((200, 302, 403, 404), (PAGE, TIDY, *words)):
        with pytest.raises(OrchestratorError) as caught, translated(f"{service}:X"):
            getattr(between.client(service, status, body), operation)(**given)
        (problem,) = caught.value.problems
        assert isinstance(caught.value, Transient), problem
        if (service, status) == ("s3", 200):  # botocore itself makes a 500 of what it can't parse
            assert problem.code in ("aws-answer-foreign", "aws-unavailable"), problem
            continue
        assert problem.code == "aws-answer-foreign", problem
        assert f"HTTP {status}, text/html" in problem.message


def test_a_list_of_nothing_is_never_made_of_what_is_no_answer(between: InBetween) -> None:
    torn = b"<?xml version='1.0'?><DescribeInstancesResponse><reserv"
    for service, status, body in (("sts", 200, b""), ("ec2", 200, torn), ("ecs", 407, b""), ("ec2", 511, b"")):
        operation, given = CALLS[service]
        with pytest.raises(ForeignAnswerError):
            getattr(between.client(service, status, body), operation)(**given)
    with pytest.raises(ForeignAnswerError):
        list(items(between.client("ecs", 200, PAGE), "list_clusters", "clusterArns"))


@pytest.mark.parametrize(
    ("service", "status", "body"),
    [
        ("ecs", 200, b'{"clusterArns": []}'),
        ("route53", 200, b"<ListHostedZonesResponse><HostedZones/></ListHostedZonesResponse>"),
        ("s3", 200, b"<ListBucketResult/>"),
        ("ec2", 200, b"<DescribeInstancesResponse/>"),
    ],
)
def test_aws_itself_is_heard(between: InBetween, service: str, status: int, body: bytes) -> None:
    operation, given = CALLS[service]
    assert (
        getattr(between.client(service, status, body), operation)(**given)["ResponseMetadata"]["HTTPStatusCode"]
        == status
    )


def test_what_has_no_answer_by_its_nature_has_none(between: InBetween) -> None:
    assert between.client("s3", 200, b"").head_bucket(Bucket="b")
    assert between.client("s3", 200, b"").put_object(Bucket="b", Key="k", Body=b"")
    assert between.client("s3", 204, b"").delete_object(Bucket="b", Key="k")
    assert between.client("s3", 200, b'{"Version": "1"}').get_bucket_policy(Bucket="b")["Policy"] == '{"Version": "1"}'
    said = between.client("s3", 200, PAGE).get_object(Bucket="b", Key="streamed")["Body"]
    assert said.read() == PAGE, "an object may be anything"
    assert between.client("ssm", 200, b"").delete_parameter(Name="p")
