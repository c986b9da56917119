"""What adapters make of answers in several pages or calls: real clients, their answers by botocore's Stubber."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from orchestrator.aws.cloudwatch import CloudWatch, Metric
from orchestrator.aws.listeners import Listeners
from orchestrator.aws.logs import Logs
from orchestrator.aws.secrets import Secrets
from orchestrator.aws.service_deployments import PauseHook, ServiceDeployments
from orchestrator.aws.ssm import Ssm
from orchestrator.dns.model import Change, Record
from orchestrator.dns.route53 import _actions, _batches

SESSION: Any = boto3.Session(region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
Call = tuple[str, dict[str, Any], dict[str, Any]]
"""An operation, what it answers, what it is asked."""
NAME = "arn:aws:secretsmanager:us-west-2:123456789012:secret:one-{:06d}"


@contextmanager
def answering(service: str, *answers: Call) -> Iterator[Any]:
    """A client that is asked these things in this order, and no others."""
    client = SESSION.client(service, endpoint_url="http://127.0.0.1:1")
    with Stubber(client) as stub:
        for operation, answer, asked in answers:
            stub.add_response(operation, answer, asked)
        yield client
        stub.assert_no_pending_responses()


def test_a_metrics_points_go_on_on_the_next_page() -> None:
    asked = {"MetricDataQueries": ANY, "StartTime": ANY, "EndTime": ANY}
    first = {"MetricDataResults": [{"Id": "m0", "Values": [1.0]}, {"Id": "m1", "Values": [9.0]}], "NextToken": "2"}
    second = {"MetricDataResults": [{"Id": "m0", "Values": [2.0]}]}
    pages = ("get_metric_data", first, asked), ("get_metric_data", second, {**asked, "NextToken": "2"})
    with answering("cloudwatch", *pages) as client:
        metrics = [Metric("a", "Average"), Metric("b", "Average")]
        seen = CloudWatch(client).recent("AWS/RDS", {"x": "y"}, metrics, NOW, timedelta(minutes=5))
    assert seen == {"a": (1.0, 2.0), "b": (9.0,)}


def lines(*messages: str, token: str) -> dict[str, Any]:
    events = [{"timestamp": 1, "message": message, "ingestionTime": 1} for message in messages]
    return {"events": events, "nextBackwardToken": token}


TAIL = {"logGroupName": "g", "logStreamName": "s", "limit": 3, "startFromHead": False}


@pytest.mark.parametrize(
    ("pages", "newest"),
    [
        ([lines("3", "4", "5", token="a")], ("3", "4", "5")),
        ([lines("5", token="a"), lines("3", "4", token="b")], ("3", "4", "5")),
        ([lines("5", token="a"), lines(token="b"), lines("2", "3", "4", token="c")], ("3", "4", "5")),
        ([lines("5", token="a"), lines("4", token="b"), lines(token="b")], ("4", "5")),
    ],
)
def test_the_newest_lines_even_if_pages_hold_fewer(pages: list[dict[str, Any]], newest: tuple[str, ...]) -> None:
    tokens = [{}, *({"nextToken": page["nextBackwardToken"]} for page in pages)]
    asked = [("get_log_events", page, TAIL | token) for page, token in zip(pages, tokens, strict=False)]
    with answering("logs", *asked) as client:
        assert Logs(client).tail("g", "s", 3) == newest


def test_secrets_are_asked_for_twenty_at_a_time_and_to_the_last_page() -> None:
    arns = [NAME.format(number) for number in range(21)]

    def value(arn: str) -> dict[str, Any]:
        return {"ARN": arn, "SecretString": '{"password": "x"}'}

    asked: list[dict[str, Any]] = [
        {"SecretIdList": arns[:20]},
        {"SecretIdList": arns[:20], "NextToken": "2"},
        {"SecretIdList": arns[20:]},
    ]
    given: list[dict[str, Any]] = [
        {"SecretValues": [value(arn) for arn in arns[:12]], "NextToken": "2"},
        {"SecretValues": [value(arn) for arn in arns[12:20]]},
        {"SecretValues": [value(arns[20])]},
    ]
    calls = [("batch_get_secret_value", answer, what) for answer, what in zip(given, asked, strict=True)]
    with answering("secretsmanager", *calls) as client:
        shapes = Secrets(client).shapes(arns)
    assert {arn: shape.keys for arn, shape in shapes.items()} == dict.fromkeys(arns, frozenset({"password"}))


def test_more_instances_than_a_page_or_a_filter_holds() -> None:
    ids = [f"i-{number:017x}" for number in range(101)]

    def known(some: list[str]) -> list[dict[str, Any]]:
        return [{"InstanceId": one, "PingStatus": "Online"} for one in some]

    def asked(some: list[str], **more: str) -> dict[str, Any]:
        return {"Filters": [{"Key": "InstanceIds", "Values": some}], "MaxResults": 50, **more}

    calls: list[Call] = [
        (
            "describe_instance_information",
            {"InstanceInformationList": known(ids[:50]), "NextToken": "2"},
            asked(ids[:100]),
        ),
        (
            "describe_instance_information",
            {"InstanceInformationList": known(ids[50:100])},
            asked(ids[:100], NextToken="2"),
        ),
        ("describe_instance_information", {"InstanceInformationList": known(ids[100:])}, asked(ids[100:])),
    ]
    with answering("ssm", *calls) as client:
        assert Ssm(client, sleep=lambda _: None, monotonic=lambda: 0.0).pings(ids).keys() == set(ids)


def test_the_newest_deployment_is_found_on_whatever_page_it_is() -> None:
    asked = {"cluster": "c", "service": "s"}

    def listed(number: int) -> dict[str, Any]:
        return {"serviceDeploymentArn": f"arn:{number}", "createdAt": datetime(2026, 1, number, tzinfo=UTC)}

    paused = {"hookId": "h-2", "targetType": "PAUSE", "status": "AWAITING_ACTION", "timeoutAction": "ROLLBACK"}
    done = {"hookId": "h-1", "targetType": "PAUSE", "status": "SUCCEEDED"}
    whole = {
        "serviceDeploymentArn": "arn:3",
        "status": "IN_PROGRESS",
        "lifecycleStage": "POST_SCALE_UP",
        "lifecycleHookDetails": [done, paused],
        "deploymentConfiguration": {"strategy": "CANARY", "bakeTimeInMinutes": 5},
        "targetServiceRevision": {"requestedProductionTrafficWeight": 10.0},
        "alarms": {"triggeredAlarmNames": ["slow"]},
    }
    calls: list[Call] = [
        ("list_service_deployments", {"serviceDeployments": [listed(2), listed(1)], "nextToken": "2"}, asked),
        ("list_service_deployments", {"serviceDeployments": [listed(3)]}, asked | {"nextToken": "2"}),
        ("describe_service_deployments", {"serviceDeployments": [whole]}, {"serviceDeploymentArns": ["arn:3"]}),
        ("describe_service_deployments", {"serviceDeployments": []}, {"serviceDeploymentArns": ["arn:3"]}),
        ("list_service_deployments", {"serviceDeployments": []}, asked),
    ]
    with answering("ecs", *calls) as client:
        deployments = ServiceDeployments(client, "c")
        found = deployments.newest("s")
        assert deployments.newest("s", "arn:3") is None
        assert deployments.newest("s") is None
    assert found is not None
    assert found.hook == PauseHook("h-2", None, "ROLLBACK")
    assert (found.stage, found.strategy, found.bake, found.visitors) == ("POST_SCALE_UP", "CANARY", 5, 10.0)
    assert found.alarms == ("slow",)


def test_the_default_certificate_comes_first_and_each_once() -> None:
    shown = [
        {"CertificateArn": "b", "IsDefault": False},
        {"CertificateArn": "a", "IsDefault": True},
        {"CertificateArn": "a", "IsDefault": False},
    ]
    pages: list[Call] = [
        ("describe_listener_certificates", {"Certificates": shown[:1], "NextMarker": "2"}, {"ListenerArn": "l"}),
        ("describe_listener_certificates", {"Certificates": shown[1:]}, {"ListenerArn": "l", "Marker": "2"}),
    ]
    with answering("elbv2", *pages) as client:
        assert Listeners(client).certificates(["l"]) == ("a", "b")


def change(number: int, values: Callable[[int], tuple[str, ...]]) -> Change:
    name = f"n{number}.example.com"
    old = Record(name, "CNAME", values(number), 60, origin=())
    return Change(name, (), (old,))


@pytest.mark.parametrize(
    ("count", "values"),
    [
        (2500, lambda number: (f"lb-{number}",)),
        (450, lambda _number: ("x" * 143,)),
        (30, lambda _number: tuple(f"192.0.2.{last}" for last in range(100))),
    ],
)
def test_no_batch_of_route53_holds_more_than_it_takes(count: int, values: Callable[[int], tuple[str, ...]]) -> None:
    changes = [change(number, values) for number in range(count)]
    batches = list(_batches(changes))
    assert [one for batch in batches for one in batch] == changes
    assert len(batches) > 1
    for batch in batches:
        held = [
            value["Value"]
            for one in batch
            for action in _actions(one)
            for value in action["ResourceRecordSet"]["ResourceRecords"]
        ]
        assert len(held) <= 1000
        assert sum(map(len, held)) <= 32_000
