"""What of bucket and index is looked at, whom it is asked of, and what is said."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.aws.ecs import Deployment, Service
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.aws.ssm import CommandOutput, Ping
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.stack.contract import Stack
from orchestrator.steps.stored_data import DOCUMENTS, FILES, STEP, LastBackup, StoredDataFacts, findings, observe
from tests.shells import OneByOne

DENIED = OrchestratorError(Problem("access-denied", "no"))
INSIDE = '{"dockerd": true, "booting": false, "healthy": true, "pulled": true, "container": {"state": "running"}, '
STEADY = ServiceEvent(datetime(2026, 1, 1, tzinfo=UTC), "(service a) has reached a steady state.")


@dataclass
class Context(OneByOne):
    """A stack whose services were up; what its stores hold, and who was asked."""

    stack: Stack
    up: bool = True
    running: int = 0
    empty: bool | OrchestratorError = False
    counted: str = '{"root": {"fields": {"totalCount": 0}}}'
    online: bool = True
    rows: Mapping[str, int | None] = field(default_factory=dict)
    kept: LastBackup | OrchestratorError | None = None
    asked: list[str] = field(default_factory=list)

    ecs = ssm = buckets = database = property(lambda self: self)
    newest_backup = property(lambda self: self.last_backup)

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        one = Deployment("ecs-svc/1", "PRIMARY", "COMPLETED", "", "onyx:1", 1, self.running, 0, STEADY.at)
        happened = (STEADY,) if self.up else ()
        return {name: Service(name, "ACTIVE", 1, self.running, 0, (one,), happened=happened) for name in names}

    def is_empty(self, bucket: str) -> Any:
        self.asked.append(bucket)
        return _given(self.empty)

    def pings(self, ids: Sequence[str]) -> Mapping[str, Ping]:
        return {one: Ping("Online" if self.online else "ConnectionLost") for one in ids}

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> CommandOutput:
        self.asked.append(instance_id)
        return CommandOutput(f'{INSIDE}"counted": {self.counted}}}\n', "", 0, "Success", "c")

    def read(self, wanted: Sequence[Any], generators: Sequence[str], *, at_once: int) -> Mapping[str, Sequence[str]]:
        (table,) = (one for one in (FILES, DOCUMENTS) if f"'{one}'" in generators[0])
        self.asked.append(table)
        number = self.rows.get(table)
        said = [] if number is None else [json.dumps({"counted": table, "rows": number})]
        return {one.tenant: said for one in wanted}

    def last_backup(self) -> Any:
        self.asked.append("backup")
        return _given(self.kept)


def _given(what: Any) -> Any:
    if isinstance(what, OrchestratorError):
        raise what
    return what


@pytest.fixture
def stack() -> Stack:
    arn = "arn:aws:service:us-west-2:123456789012:thing/x"
    shared = {"secret_arn": arn, "target_group_arn": arn, "log_group": None}
    names = ("customer-a", "customer-b")
    return Stack.model_validate(
        {
            "schema": 1,
            "stack": "onyx-prod",
            "account_id": "123456789012",
            "region": "us-west-2",
            "cluster": "c",
            "database": {"instance": "db", "host": "db.example.com", "admin_user": "root", "admin_secret_arn": arn},
            "runner": {"instance_id": "i-0f"},
            "load_balancer": {"arn": arn, "dns_name": "lb.example.com", "zone_id": "Z"},
            "bucket": "onyx-prod-files",
            "tenants": {
                name: {**shared, "database": name, "role": name, "service": name, "hostname": f"{name}.example.com"}
                for name in names
            },
            "vespa": {name: {"instance_id": f"i-{n}a", "host": f"10.0.0.{n}"} for n, name in enumerate(names)},
        }
    )


def seen(context: Context) -> tuple[StoredDataFacts, list[str]]:
    facts = observe(context)
    return facts, [problem.code for problem in findings(facts)]


def test_of_a_new_stack_nothing_is_asked(stack: Stack) -> None:
    context = Context(stack, up=False, empty=True)
    assert seen(context)[1] == []
    assert context.asked == []


def test_of_a_service_that_is_up_nothing_is_asked(stack: Stack) -> None:
    context = Context(stack, running=1, empty=True, rows={FILES: 3})
    assert seen(context)[1] == []
    assert context.asked == []


def test_where_all_hold_something_nobody_is_asked_what_there_was(stack: Stack) -> None:
    context = Context(stack, counted='{"root": {"fields": {"totalCount": 7}}}')
    assert seen(context)[1] == []
    assert {*context.asked} == {stack.bucket, *(one.instance_id for one in stack.vespa.values())}


def test_the_tenants_database_knows_better(stack: Stack) -> None:
    facts, codes = seen(Context(stack, empty=True, rows={FILES: 3, DOCUMENTS: 5}))
    assert codes == ["files-gone", *["index-gone"] * len(stack.vespa)]
    first = next(iter(findings(facts)))
    assert "names 3 files" in first.message
    assert "there is no backup" in first.message


def test_the_newest_backup_knows_better(stack: Stack) -> None:
    tenant = next(iter(stack.vespa))
    kept = LastBackup("20260101-120000", {"files": 12, f"documents of {tenant}": 40})
    facts, codes = seen(Context(stack, empty=True, kept=kept))
    assert codes == ["files-gone", "index-gone"]
    for problem in findings(facts):
        assert "20260101-120000" in problem.message
        assert problem.fix


@pytest.mark.parametrize("counted", ["null", "{}", '{"root": {"errors": [{"code": 8}], "fields": {"totalCount": 0}}}'])
def test_an_index_that_does_not_say_is_not_taken_for_an_empty_one(stack: Stack, counted: str) -> None:
    assert seen(Context(stack, counted=counted, rows={DOCUMENTS: 5}))[1] == []


def test_what_cannot_be_looked_at_is_no_finding_and_no_failure(stack: Stack) -> None:
    blind = Context(stack, empty=DENIED, online=False, kept=DENIED, rows={FILES: 3})
    assert seen(blind)[1] == []
    assert seen(replace(blind, empty=True, rows={}, asked=[]))[1] == []


def test_it_holds_nobody_up(stack: Stack) -> None:
    facts, _ = seen(Context(stack, empty=True, rows={FILES: 3}))
    assert {type(one).__name__ for one in STEP.decide(facts).values()} == {"Done"}
