"""How consequences are shown: as events, on a terminal, in a merge request's comment; and the one look at AWS."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.app.plan_consequences import PlanConsequences, consequences_of, no_consequences, tell
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.events import Event, FindingReported, RunFinished, RunStarted, StepFailed, as_json
from orchestrator.render.markdown import LONGEST, Markdown
from orchestrator.render.terminal import Terminal
from orchestrator.stack.contract import Stack
from tests.documents import reading
from tests.unit.one_page import OnePage

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


class Pages:
    def __init__(self, snapshots: list[dict[str, Any]]) -> None:
        self.snapshots = snapshots

    def paginate(self, **_asked: str) -> list[dict[str, Any]]:
        return [{"DBSnapshots": self.snapshots}]


class FakeAws:
    """Only what is asked of RDS."""

    def __init__(self, *snapshots: dict[str, Any], trouble: str = "") -> None:
        self.snapshots, self.trouble, self.regions = list(snapshots), trouble, list[str]()

    def __call__(self, region: str) -> Any:
        self.regions.append(region)
        return self

    def client(self, _name: str) -> Any:
        if self.trouble:
            raise OrchestratorError(Problem(self.trouble, "no"))
        return self

    def get_paginator(self, _name: str) -> Pages:
        return Pages(self.snapshots)


def snapshot(name: str, day: int, status: str = "available") -> dict[str, Any]:
    taken = datetime(2026, 11, day, 3, tzinfo=UTC)
    return {"DBSnapshotIdentifier": name, "SnapshotCreateTime": taken, "Status": status, "SnapshotType": "automated"}


def losses(plan_consequences: PlanConsequences) -> list[str]:
    return [one.then for one in plan_consequences.consequences if one.code == "database-lost"]


def test_the_newest_finished_snapshot_is_named() -> None:
    aws = FakeAws(snapshot("old", 20), snapshot("new", 25), snapshot("unfinished", 26, "creating"))
    said = losses(consequences_of(reading.plan("database-replaced"), aws, NOW))
    assert aws.regions == ["us-west-2"]
    assert all("the latest snapshot is new, from 2026-11-25 03:00 UTC (33 hours ago)" in one for one in said)


@pytest.mark.parametrize(
    ("aws", "words"),
    [(FakeAws(), "there is no snapshot"), (FakeAws(trouble="access-denied"), "has a snapshot (access-denied)")],
)
def test_what_is_not_there_or_not_seen_is_said(aws: FakeAws, words: str) -> None:
    assert all(words in one for one in losses(consequences_of(reading.plan("database-replaced"), aws, NOW)))


def test_aws_is_asked_only_when_a_database_is_lost() -> None:
    aws = FakeAws()
    consequences_of(reading.plan("load-balancer-replaced"), aws, NOW)
    assert aws.regions == []


STACK = Stack.model_validate(
    {
        "stack": "onyx-prod",
        "account_id": "123456789012",
        "region": "us-west-2",
        "cluster": "c",
        "database": {
            "instance": "onyx-prod-postgres",
            "host": "db.example.com",
            "admin_user": "root",
            "admin_secret_arn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:x",
        },
        "runner": {"instance_id": "i-0a"},
        "load_balancer": {
            "arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/x",
            "dns_name": "lb.example.com",
            "zone_id": "Z",
        },
        "tenants": {
            "a": {
                "database": "onyx_a",
                "role": "onyx_a",
                "secret_arn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:a",
                "service": "a-service",
                "hostname": "a.example.com",
                "target_group_arn": "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/x",
                "log_group": "/ecs/a",
            }
        },
    }
)


class LiveAws(OnePage):
    """A service and a server, as ECS and RDS describe them."""

    def __init__(self, desired: int, status: str) -> None:
        self.desired, self.status = desired, status

    def client(self, _name: str) -> Any:
        return self

    def describe_services(self, **_asked: Any) -> Any:
        service = {"serviceName": "a-service", "status": "ACTIVE", "taskDefinition": "td", "desiredCount": self.desired}
        return {"services": [service]}

    def describe_db_instances(self, **_asked: Any) -> Any:
        return {"DBInstances": [{"DBInstanceStatus": self.status}]}


@pytest.mark.parametrize(
    ("desired", "status", "codes"),
    [(0, "stopped", ["stack-paused"]), (0, "stopping", ["stack-paused"]), (1, "stopped", []), (0, "available", [])],
)
def test_a_paused_stack_is_recognised_live(desired: int, status: str, codes: list[str]) -> None:
    aws: Any = LiveAws(desired, status)
    found = no_consequences(STACK, aws).consequences
    assert [one.code for one in found] == codes
    assert all("orchestrate resume" in one.then for one in found)


def test_a_stack_that_can_not_be_seen_is_not_called_paused() -> None:
    aws: Any = FakeAws(trouble="access-denied")
    assert no_consequences(STACK, aws).consequences == ()


def events(name: str) -> list[FindingReported]:
    said: list[Event] = []
    tell(consequences_of(reading.plan(name), FakeAws(), NOW), said.append)
    return [one for one in said if isinstance(one, FindingReported)]


def test_as_events_they_can_be_read_by_programs() -> None:
    first = as_json(events("database-replaced")[0], NOW)
    assert json.loads(json.dumps(first))["loss"] == "database:onyx_customer_a"
    assert (first["severity"], first["effect"], first["subject"]) == ("blocker", "loss", "customer-a")
    assert first["address"] == "module.postgres.aws_db_instance.this"


def test_on_a_terminal_the_loss_comes_with_its_permission() -> None:
    out = io.StringIO()
    terminal = Terminal(out, lambda: NOW)
    for event in events("database-replaced"):
        terminal.emit(event)
    said = out.getvalue()
    assert "customer-a: database onyx_customer_a is lost" in said
    assert "--allow-loss database:onyx_customer_a" in said
    assert said.index("onyx_customer_a is lost") < said.index("restarts")


def comment(*texts: str, found: list[FindingReported] | None = None) -> str:
    out = io.StringIO()
    markdown = Markdown(out)
    markdown.emit(RunStarted(stack="onyx-prod", command="plan", version="1"))
    for event in found or []:
        markdown.emit(event)
    for text in texts:
        markdown.text(text)
    assert out.getvalue() == ""
    markdown.emit(StepFailed(step="plan", detail="refused | <b>", code="data-loss", fix="name it"))
    markdown.emit(RunFinished(outcome="refused"))
    return out.getvalue()


def test_as_markdown_it_is_one_document() -> None:
    said = comment("Terraform will perform ```these``` actions", found=events("database-replaced"))
    assert said.startswith("### orchestrate plan: onyx-prod")
    assert "| 🛑 | customer-a | database onyx_customer_a is lost" in said
    assert "`database:onyx_customer_a`" in said
    assert "refused \\| &lt;b>" in said
    assert "````\nTerraform will perform ```these``` actions\n````" in said


def test_a_run_that_knows_no_stack_yet_has_a_title_too() -> None:
    out = io.StringIO()
    Markdown(out, "plan").emit(RunFinished(outcome="pending"))
    assert out.getvalue().startswith("### orchestrate plan\n")


def test_a_long_plan_is_cut_to_what_a_comment_holds() -> None:
    said = comment("x" * (LONGEST + 10))
    assert len(said) < 65_536
    assert "characters more" in said
    many = [replace(one, detail="y" * 500) for one in events("database-replaced") * 8]
    said = comment("x" * LONGEST, found=many)
    assert said.count("y" * 500) == len(many), "what was found is never cut"
    assert len(said) < 65_536


def test_a_point_of_the_checklist_names_its_tenant() -> None:
    point = FindingReported(step="preflight", subject="customer-a", detail="too small", code="x", status="failed")
    assert "`x` customer-a: too small" in comment(found=[point])
