"""A tenant's database that is missing or empty: of whom ECS is asked, what is said, and what nobody may make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.aws.ecs import Service
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.database.contents import DatabaseContents
from orchestrator.database.model import ServerContents
from orchestrator.database.ownership import OwnershipRules
from orchestrator.doctor.checks import databases
from orchestrator.engine.step import Blocked, Todo
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.stack.contract import Stack
from orchestrator.steps import tenant_databases
from orchestrator.steps.tenant_databases import TenantDatabasesFacts
from tests.unit.rollout.scripted_cluster import stack_of

DENIED = OrchestratorError(Problem("access-denied", "no"))
STEADY = ServiceEvent(datetime(2026, 1, 1, tzinfo=UTC), "(service a-service) has reached a steady state.")
FULL, EMPTY = DatabaseContents(40, application=True), DatabaseContents(0, application=False)
EVERY_NAME = ("onyx_a", "onyx_b")


@dataclass
class Context:
    """Two tenants; A's service was up, or can't be looked at."""

    seen: ServerContents
    up: bool | OrchestratorError = True
    databases_made: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    stack: Stack = field(default_factory=lambda: stack_of("a", "b"))
    database_rules: OwnershipRules = field(default_factory=OwnershipRules)

    database = ecs = rds = property(lambda self: self)

    def observe(self, wanted: Sequence[Any]) -> ServerContents:
        return self.seen

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        self.asked += names
        if isinstance(self.up, OrchestratorError):
            raise self.up
        happened = (STEADY,) if self.up else ()
        return {name: Service(name, "ACTIVE", 1, 0, 0, (), happened=happened) for name in names}

    def newest_snapshot(self, instance: str) -> None:
        return None


def holding(**contents: DatabaseContents | None) -> ServerContents:
    """These databases, and both tenants' roles; a tenant's database belongs to its role, any other to nobody."""
    owners = {name: name if name in EVERY_NAME else "somebody" for name in contents}
    return ServerContents(databases=owners, roles=frozenset(EVERY_NAME), present=frozenset(EVERY_NAME), holds=contents)


def observed(context: Context) -> tuple[TenantDatabasesFacts, list[Problem]]:
    facts = tenant_databases.observe(cast("Any", context))
    return facts, [one for one in tenant_databases.findings(facts) if one.code == "database-data-gone"]


def test_where_all_are_full_nobody_is_asked() -> None:
    context = Context(holding(onyx_a=FULL, onyx_b=FULL))
    assert observed(context)[1] == []
    assert context.asked == []


@pytest.mark.parametrize(
    ("seen", "says"),
    [
        (holding(onyx_a=EMPTY, onyx_b=FULL), "onyx_a holds nothing although a-service was up before"),
        (holding(onyx_b=FULL), "onyx_a is missing although a-service was up before"),
    ],
    ids=["emptied", "dropped"],
)
def test_what_is_gone_is_said_of_a_tenant_that_was_up(seen: ServerContents, says: str) -> None:
    context = Context(seen)
    (problem,) = observed(context)[1]
    assert says in problem.message
    assert "RDS has no snapshot of this instance" in problem.message
    assert "orchestrate restore" in problem.fix
    assert context.asked == ["a-service"]
    assert observed(Context(seen, up=False))[1] == []


def test_what_this_very_run_has_made_is_empty_and_that_is_right() -> None:
    context = Context(holding(onyx_a=EMPTY, onyx_b=FULL), databases_made={"a"})
    assert observed(context)[1] == []
    assert context.asked == []


@pytest.mark.parametrize(("up", "verdict"), [(True, Blocked), (DENIED, Blocked), (False, Todo)])
def test_where_nobody_can_look_none_is_made_unless_the_tenant_was_surely_never_up(
    up: bool | OrchestratorError, verdict: type[Any]
) -> None:
    """The one database that may be the tenant's can't be entered. The doctor says what the run does."""
    seen = holding(onyx_b=FULL, aside=None)
    facts, gone = observed(Context(seen, up))
    assert isinstance(tenant_databases.decide(facts)["a"], verdict)
    assert [one.code for one in gone] == (["database-data-gone"] if verdict is Todo and up else [])
    (finding,) = databases.judge(databases.gather(cast("Any", scene(seen, up))))
    assert finding.code == ("database-renamed" if verdict is Blocked else "database-missing")


def scene(seen: ServerContents, up: bool | OrchestratorError) -> SimpleNamespace:
    def rollouts() -> Mapping[str, Any]:
        if isinstance(up, OrchestratorError):
            raise up
        service = Service("a-service", "ACTIVE", 1, 0, 0, (), happened=(STEADY,) if up else ())
        return {"a": SimpleNamespace(service=service, unread=None)}

    server = SimpleNamespace(status="available")
    return SimpleNamespace(stack=stack_of("a", "b"), server=lambda: server, databases=lambda: seen, rollouts=rollouts)
