"""A look that was stopped goes on with what it had read; a new look asks anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from orchestrator.aws import looks, pages
from orchestrator.engine.looks import FRESH, Look
from orchestrator.errors import Invalid, OrchestratorError, Problem, Transient

THROTTLED = Transient(Problem("throttled", "Rate exceeded"))
PAGES = 5


class Body:
    """What urllib3 gives."""

    def __init__(self, text: str) -> None:
        self._text = text.encode()

    def stream(self, **_: Any) -> Any:
        yield self._text


@dataclass
class Service:
    """Load balancing with a list of rules in `PAGES` pages, and how often each operation was really asked."""

    asked: list[str] = field(default_factory=list)
    now: float = 0.0

    def __post_init__(self) -> None:
        make: Any = boto3.client
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "eu-central-1"}
        self.client = make("elbv2", config=Config(retries={"total_max_attempts": 1}), **keys)
        self.client.meta.events.register("before-send.elastic-load-balancing-v2.*", self._answer)
        looks.register(self.client)

    def _answer(self, request: Any, event_name: str, **_: Any) -> AWSResponse:
        operation = event_name.rpartition(".")[2]
        marker = str(request.body).partition("Marker=")[2]
        page = int(marker or 0)
        self.asked.append(f"{operation} {page}")
        rule = f"<Rules><member><Priority>{page}</Priority></member></Rules>"
        more = f"<NextMarker>{page + 1}</NextMarker>" if page + 1 < PAGES else ""
        body = f"<R><{operation}Result>{rule}{more}</{operation}Result></R>"
        raw: Any = Body(body)
        headers: Any = {}
        return AWSResponse(request.url, 200, headers, raw)

    def rules(self) -> list[str]:
        found = pages.items(self.client, "describe_rules", "Rules", ListenerArn="arn:listener")
        return [one["Priority"] for one in found]

    def health(self) -> None:
        self.client.describe_target_health(TargetGroupArn="arn:group")


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def look(service: Service) -> Look:
    return Look(lambda: service.now)


def stopped(look: Look, service: Service, error: OrchestratorError, read: Callable[[], object]) -> None:
    """One try that ends with the error, after `read`."""

    def tried() -> None:
        with look.tried():
            read()
            raise error

    service.asked.clear()
    with pytest.raises(type(error)):
        tried()


ALL = [f"DescribeRules {page}" for page in range(PAGES)]


def test_a_look_that_was_throttled_asks_for_no_page_twice(look: Look, service: Service) -> None:
    stopped(look, service, THROTTLED, service.rules)
    assert service.asked == ALL
    service.asked.clear()
    with look.tried():
        assert service.rules() == [str(page) for page in range(PAGES)]
    assert service.asked == []


def test_it_goes_on_in_the_middle_of_a_list(look: Look, service: Service) -> None:
    def two_pages() -> None:
        found = pages.pages(service.client, "describe_rules", ListenerArn="arn:listener")
        next(found), next(found)

    stopped(look, service, THROTTLED, two_pages)
    assert service.asked == ALL[:2]
    service.asked.clear()
    with look.tried():
        assert service.rules() == [str(page) for page in range(PAGES)]
    assert service.asked == ALL[2:]


def test_what_changes_by_itself_is_asked_again(look: Look, service: Service) -> None:
    stopped(look, service, THROTTLED, service.health)
    stopped(look, service, THROTTLED, service.health)
    assert service.asked == ["DescribeTargetHealth 0"]


def test_a_new_look_asks_anew(look: Look, service: Service) -> None:
    stopped(look, service, THROTTLED, service.rules)
    with look.tried():
        service.rules()
    with look.tried():
        service.asked.clear()
        service.rules()
    assert service.asked == ALL


def test_a_look_that_failed_for_another_reason_leaves_nothing(look: Look, service: Service) -> None:
    stopped(look, service, Invalid(Problem("credentials-rejected", "no")), service.rules)
    with look.tried():
        service.asked.clear()
        service.rules()
    assert service.asked == ALL


def test_what_was_read_too_long_ago_is_asked_again_even_within_a_look(look: Look, service: Service) -> None:
    stopped(look, service, THROTTLED, service.rules)
    service.now = FRESH / 2
    stopped(look, service, THROTTLED, service.rules)
    assert service.asked == [], "an answer is not younger for having been told again"
    service.now = FRESH + 1
    stopped(look, service, THROTTLED, service.rules)
    assert service.asked == ALL


def test_what_is_told_may_be_changed_by_who_is_told(look: Look, service: Service) -> None:
    def spoilt() -> None:
        for page in pages.pages(service.client, "describe_rules", ListenerArn="arn:listener"):
            page["Rules"].clear()

    stopped(look, service, THROTTLED, spoilt)
    with look.tried():
        assert len(service.rules()) == PAGES


def test_another_account_is_asked_itself(look: Look, service: Service) -> None:
    stopped(look, service, THROTTLED, service.rules)
    other = Service()
    with look.tried():
        other.rules()
    assert other.asked == ALL


def test_outside_of_a_look_nothing_is_kept(service: Service) -> None:
    service.rules()
    service.rules()
    assert service.asked == ALL * 2
