"""Who else names a host: services and tasks of every cluster, on as many pages as there are. Against moto."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from moto import mock_aws

from orchestrator.aws.neighbours import Neighbour, Neighbours
from orchestrator.database.model import wanted_of
from orchestrator.database.sessions import Session, parsed, strangers
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import Known, Ownership, PartKind
from tests.unit.lifecycle.foreign_state import PARTS, stack_of

HOST = "db.example.com"


@pytest.fixture
def ecs() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        with mock_aws():
            yield boto3.Session("local", "local", region_name="us-west-2").client("ecs")


def define(ecs: Any, family: str, **container: Any) -> str:
    given = {"name": "app", "image": "app", "memory": 128, **container}
    made = ecs.register_task_definition(family=family, containerDefinitions=[given])
    return str(made["taskDefinition"]["taskDefinitionArn"])


def serve(ecs: Any, cluster: str, name: str, desired: int = 1, stack: str = "", **container: Any) -> None:
    tags = [{"key": "Stack", "value": stack}] if stack else []
    definition = define(ecs, name, **container)
    ecs.create_service(cluster=cluster, serviceName=name, taskDefinition=definition, desiredCount=desired, tags=tags)


def told(name: str, value: str) -> dict[str, Any]:
    return {"environment": [{"name": name, "value": value}]}


def around(ecs: Any, stack: Stack, sessions: Any = tuple) -> OtherUsers:
    return OtherUsers(stack, Neighbours(ecs), sessions)


def stack(**managed: str) -> Stack:
    known = Ownership({(PartKind.SERVICE, name): address for name, address in managed.items()})
    return stack_of(dict.fromkeys(PARTS, "absent")).owning(Known(lambda: known))


def test_others_that_name_the_host_are_found_in_every_cluster(ecs: Any) -> None:
    for cluster in ("cluster", "shared"):
        ecs.create_cluster(clusterName=cluster)
    serve(ecs, "cluster", "a-service", **told("POSTGRES_HOST", HOST))
    serve(ecs, "cluster", "b-service", **told("POSTGRES_HOST", HOST))
    serve(ecs, "shared", "billing", **told("DATABASE_URL", f"postgres://root@{HOST}:5432/billing"))
    serve(ecs, "shared", "reports", command=["--db", HOST])
    serve(ecs, "shared", "asleep", desired=0, **told("POSTGRES_HOST", HOST))
    serve(ecs, "shared", "elsewhere", **told("POSTGRES_HOST", f"other-{HOST}"))
    assert around(ecs, stack()).users(HOST) == (
        "service b-service in cluster cluster",
        "service billing in cluster shared",
        "service reports in cluster shared",
    )


def test_the_stacks_own_workers_are_not_others(ecs: Any) -> None:
    """By its state, and by their tag."""
    ecs.create_cluster(clusterName="cluster")
    serve(ecs, "cluster", "worker", **told("POSTGRES_HOST", HOST))
    serve(ecs, "cluster", "tagged", stack="onyx-prod", **told("POSTGRES_HOST", HOST))
    serve(ecs, "cluster", "other", stack="onyx-prod-2", **told("POSTGRES_HOST", HOST))
    managed = {"cluster/worker": "aws_ecs_service.worker"}
    assert around(ecs, stack(**managed)).users(HOST) == ("service other in cluster cluster",)


def test_they_are_asked_for_page_by_page_and_once(ecs: Any) -> None:
    ecs.create_cluster(clusterName="cluster")
    for number in range(23):
        serve(ecs, "cluster", f"s{number:02}", **told("HOST", HOST))
    seen = around(ecs, stack())
    assert len(seen.users(HOST)) == 23
    serve(ecs, "cluster", "late", **told("HOST", HOST))
    assert len(seen.users(HOST)) == 23
    seen.forget()
    assert len(seen.users(HOST)) == 24


@pytest.mark.parametrize(
    ("says", "names", "uses"),
    [
        ('"10.0.0.5"', ["10.0.0.5"], True),
        ('"10.0.0.50"', ["10.0.0.5"], False),
        ('"110.0.0.5"', ["10.0.0.5"], False),
        ('"s3://files/x"', ["files"], True),
        ('"onyx-files"', ["files"], False),
        ('"files-2"', ["files"], False),
        ('"redis://:x@redis.example.com:6379/0"', ["redis.example.com"], True),
        ('"redis.example.com.evil.org"', ["redis.example.com"], False),
        ('"anything"', [""], False),
        ('"anything"', [], False),
    ],
)
def test_a_name_is_a_whole_word(says: str, names: list[str], uses: bool) -> None:
    assert Neighbour("c", "s", says=says).uses(names) is uses


def test_sessions_in_databases_of_others_are_others() -> None:
    found = parsed(
        [
            {"database": "onyx_a", "user": "onyx_a", "program": "", "address": "", "number": 9},
            {"database": "reports", "user": "bi", "program": "metabase", "address": "10.1.1.1", "number": 3},
            {"database": "postgres", "user": "root", "program": "orchestrate", "address": "", "number": 1},
            {"database": "postgres", "user": "rdsadmin", "program": "", "address": "", "number": 1},
        ]
    )
    others = strangers(found, wanted_of(stack()))
    assert [str(one) for one in others] == ["3 sessions of bi in database reports (metabase from 10.1.1.1)"]


def test_a_server_that_cannot_be_asked_is_said_to_be_unasked() -> None:
    def unreachable() -> list[Session]:
        raise OrchestratorError(Problem("database-unreachable", "no answer", "", "wait"))

    nobody: Any = None
    assert OtherUsers(stack(), nobody, unreachable).strangers() is None
