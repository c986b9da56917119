"""The one pager and the one batcher: what goes in one call, what comes from several, and what is said of it."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator
from itertools import product
from math import ceil
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

import orchestrator
from orchestrator.aws import batches, call_marks
from orchestrator.aws.batches import LIMITS, answers, split
from orchestrator.aws.pages import NOT_BOTOCORES, items, one, pages

SOURCES = Path(orchestrator.__file__).parent
GONE = frozenset({"TargetGroupNotFound"})


SESSION: Any = boto3.Session(region_name="us-west-2", aws_access_key_id="a", aws_secret_access_key="b")
SERVICES = ["acm", "application-autoscaling", "cloudwatch", "ec2", "ecs", "elasticache", "elbv2", "iam", "logs", "rds"]
SERVICES += ["route53", "s3", "secretsmanager", "ssm", "sts"]


def client(service: str) -> Any:
    return SESSION.client(service, endpoint_url="http://127.0.0.1:1")


@pytest.fixture(scope="module")
def every_client() -> list[Any]:
    return [client(service) for service in SERVICES]


class Balancer:
    """DescribeTargetGroups as AWS has it: 20 ARNs at most, all or nothing, so many items to a page."""

    def __init__(self, there: set[str], size: int = 3) -> None:
        self.there, self.size, self.calls = there, size, list[list[str]]()

    def get_paginator(self, _operation: str) -> Balancer:
        return self

    def paginate(self, TargetGroupArns: list[str], **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803 - AWS's
        assert 1 <= len(TargetGroupArns) <= 20
        self.calls.append(TargetGroupArns)
        if not set(TargetGroupArns) <= self.there:
            raise ClientError({"Error": {"Code": "TargetGroupNotFound", "Message": "gone"}}, "DescribeTargetGroups")
        for start in range(0, len(TargetGroupArns), self.size):
            yield {"TargetGroups": TargetGroupArns[start : start + self.size]}


@given(st.lists(st.booleans(), max_size=70))
def test_who_is_there_is_found_whoever_is_gone(there: list[bool]) -> None:
    wanted = [f"group-{number}" for number in range(len(there))]
    present = [name for name, is_there in zip(wanted, there, strict=True) if is_there]
    balancer = Balancer(set(present))
    found = list(items(balancer, "describe_target_groups", "TargetGroups", gone=GONE, TargetGroupArns=wanted))
    assert found == present
    if present == wanted:
        assert len(balancer.calls) == ceil(len(wanted) / 20)


def test_what_else_aws_refuses_is_raised() -> None:
    with pytest.raises(ClientError):
        list(items(Balancer(set()), "describe_target_groups", "TargetGroups", TargetGroupArns=["gone"]))
    stubbed = client("elbv2")
    with Stubber(stubbed) as stub:
        stub.add_client_error("describe_target_groups", "AccessDenied")
        with pytest.raises(ClientError):
            list(items(stubbed, "describe_target_groups", "TargetGroups", gone=GONE, TargetGroupArns=["a", "b"]))


@pytest.mark.parametrize(("operation", "argument"), sorted(LIMITS))
def test_no_call_holds_more_than_it_may_and_none_is_lost(operation: str, argument: str) -> None:
    most = batches.most(operation, argument)
    for count in (0, 1, most, most + 1, 2 * most + 1):
        values = [f"{number}" for number in range(count)]
        asked: Any = [{"Name": "x", "Values": values}] if argument == "Filters" else values
        calls = list(split(operation, {argument: asked, "other": "stays"}))
        parts = [call[argument][0]["Values"] if argument == "Filters" else call[argument] for call in calls]
        assert [value for part in parts for value in part] == values
        assert len(parts) == ceil(count / most)
        assert all(call["other"] == "stays" for call in calls)


@pytest.mark.parametrize(("first", "second"), [(201, 1), (200, 1), (199, 1), (150, 120), (201, 201), (1, 0)])
def test_all_filters_together_have_no_more_values_than_a_call_takes(first: int, second: int) -> None:
    wanted = [[f"{name}{number}" for number in range(count)] for name, count in (("a", first), ("b", second))]
    filters = [{"Name": "x", "Values": values} for values in wanted]
    calls = [[one["Values"] for one in call["Filters"]] for call in split("describe_instances", {"Filters": filters})]
    assert all(sum(map(len, call)) <= 200 for call in calls)
    pairs = Counter(pair for call in calls for pair in product(*call))
    assert pairs == Counter(product(*wanted)), "each pair of values is asked for once"


def test_without_pages_each_batch_is_one_call() -> None:
    ecs = client("ecs")
    names = [f"s{number}" for number in range(12)]
    with Stubber(ecs) as stub:
        for some in (names[:10], names[10:]):
            stub.add_response("describe_services", {"services": []}, {"cluster": "c", "services": some})
        assert len(list(answers(ecs, "describe_services", cluster="c", services=names))) == 2
        stub.assert_no_pending_responses()
    assert list(answers(ecs, "describe_services", cluster="c", services=[])) == []


def test_every_operation_of_the_tables_is_one_of_aws(every_client: list[Any]) -> None:
    known = {method for made in every_client for method in made.meta.method_to_api_mapping}
    assert {operation for operation, _ in LIMITS} | set(NOT_BOTOCORES) <= known
    assert not set(NOT_BOTOCORES) & paginated(every_client), "botocore knows it by now"


def paginated(clients: list[Any]) -> set[str]:
    """What botocore has a paginator for, in every service that the product asks."""
    return {method for made in clients for method in made.meta.method_to_api_mapping if made.can_paginate(method)}


def test_nobody_goes_around_them(every_client: list[Any]) -> None:
    """Operations with pages, or with a limit, are called by their names in tables and arguments, never as methods."""
    around = paginated(every_client) | set(NOT_BOTOCORES) | {"get_paginator"}
    limited = {operation for operation, _ in LIMITS} - {"delete_objects", "change_resource_record_sets"}
    for file in [*(SOURCES / "aws").glob("*.py"), SOURCES / "dns" / "route53.py"]:
        calls = [node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)]
        named = {func.attr for func in calls if isinstance(func, ast.Attribute)}
        allowed = {"pages.py": {"get_paginator"}, "ssm.py": {"send_command", "cancel_command"}}.get(file.name, set())
        assert named & (around | limited) <= allowed, file.name


def test_what_botocore_cannot_page_is_paged_too() -> None:
    logs = client("logs")
    asked: dict[str, Any] = {"logGroupName": "g", "logStreamName": "s"}
    with Stubber(logs) as stub:
        stub.add_response("get_log_events", {"events": [], "nextBackwardToken": "1"}, asked)
        stub.add_response("get_log_events", {"events": [], "nextBackwardToken": "2"}, {**asked, "nextToken": "1"})
        read = pages(logs, "get_log_events", **asked)
        assert [next(read)["nextBackwardToken"], next(read)["nextBackwardToken"]] == ["1", "2"]


def test_one_is_the_first_of_the_pages_even_after_an_empty_one() -> None:
    rds = client("rds")
    with Stubber(rds) as stub:
        stub.add_response("describe_db_instances", {"DBInstances": [], "Marker": "2"})
        stub.add_response("describe_db_instances", {"DBInstances": [{"DBInstanceIdentifier": "db"}]})
        assert one(rds, "describe_db_instances", "DBInstances", DBInstanceIdentifier="db") is not None
        stub.add_response("describe_db_instances", {"DBInstances": []})
        assert one(rds, "describe_db_instances", "DBInstances", DBInstanceIdentifier="db") is None


class Answering:
    """Instead of AWS: gives the answers one after the other, and keeps what each request said of its way."""

    def __init__(self, to: Any, *answers: dict[str, Any]) -> None:
        self.answers, self.agents = list(answers), list[str]()
        to.meta.events.register_last("before-send", self.answer)

    def answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        agent = request.headers["User-Agent"]
        self.agents.append(agent.decode() if isinstance(agent, bytes) else agent)
        nothing: Any = {}
        answer: Any = AWSResponse(request.url, 200, nothing, None)
        answer._content = json.dumps(self.answers.pop(0)).encode()
        return answer  # type: ignore[no-any-return]

    @property
    def said(self) -> list[frozenset[str]]:
        return list(map(call_marks.of, self.agents))


def test_each_request_says_how_it_goes() -> None:
    ecs = client("ecs")
    call_marks.mark(ecs, ())
    aws = Answering(ecs, {"taskArns": ["a"], "nextToken": "1"}, {"services": []}, {"taskArns": ["b"]}, {"services": []})
    read = items(ecs, "list_tasks", "taskArns", cluster="c")
    assert next(read) == "a"
    ecs.describe_services(services=["x"])
    assert list(read) == ["b"]
    list(answers(ecs, "describe_services", services=["x"]))
    paged, batched = frozenset({call_marks.BATCHED, call_marks.PAGED}), frozenset({call_marks.BATCHED})
    assert aws.said == [paged, frozenset(), paged, batched]


def test_what_is_sent_once_says_so() -> None:
    ssm = client("ssm")
    call_marks.mark(ssm, ["cancel_command"])
    aws = Answering(ssm, {}, {})
    ssm.cancel_command(CommandId="11111111-2222-3333-4444-555555555555")
    ssm.terminate_session(SessionId="s")
    assert aws.said == [{call_marks.ONCE}, frozenset()]
    assert call_marks.of("Boto3/1.40 way/paged onyx-orchestrator") == frozenset()
