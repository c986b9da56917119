"""Reading a log group since a moment: page by page, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from orchestrator.aws.logs import LogEvent, Logs
from orchestrator.errors import Invalid, OrchestratorError, Transient

START = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ASKED = {"logGroupName": "/ecs/a", "startTime": 1795608000000}


@pytest.fixture
def client() -> Any:
    session = boto3.Session(region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
    return session.client("logs", endpoint_url="http://127.0.0.1:1")


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stub:
        yield stub
        stub.assert_no_pending_responses()


def page(*messages: str, more: str = "") -> dict[str, Any]:
    events = [
        {"eventId": message, "timestamp": 1795608001500, "logStreamName": "api/api/1", "message": message}
        for message in messages
    ]
    return {"events": events, **({"nextToken": more} if more else {})}


def test_pages_follow_each_other_even_empty_ones(client: Any, stub: Stubber) -> None:
    stub.add_response("filter_log_events", page("one", more="2"), ASKED)
    stub.add_response("filter_log_events", page(more="3"), {**ASKED, "nextToken": "2"})
    stub.add_response("filter_log_events", page("two"), {**ASKED, "nextToken": "3"})
    read = list(Logs(client).since("/ecs/a", START))
    assert [record.message for record in read] == ["one", "two"]
    assert read[0] == LogEvent("one", datetime(2026, 11, 25, 12, 0, 1, 500000, UTC), "api/api/1", "one")


def test_the_pattern_is_cloudwatch_s(client: Any, stub: Stubber) -> None:
    stub.add_response("filter_log_events", page(), {**ASKED, "filterPattern": "?ERROR ?x"})
    assert list(Logs(client).since("/ecs/a", START, "?ERROR ?x")) == []


def test_a_group_that_does_not_exist(client: Any, stub: Stubber) -> None:
    stub.add_client_error("filter_log_events", "ResourceNotFoundException")
    with pytest.raises(KeyError):
        list(Logs(client).since("/ecs/a", START))


@pytest.mark.parametrize(
    ("answer", "pattern", "kind", "code"),
    [
        ("InvalidParameterException", "{ $.a", Invalid, "grep-invalid"),
        ("ThrottlingException", "", Transient, "throttled"),
        ("AccessDeniedException", "", OrchestratorError, "access-denied"),
    ],
)
def test_what_else_is_refused(
    client: Any, stub: Stubber, answer: str, pattern: str, kind: type[Exception], code: str
) -> None:
    stub.add_client_error("filter_log_events", answer)
    with pytest.raises(kind, match=code):
        list(Logs(client).since("/ecs/a", START, pattern))
