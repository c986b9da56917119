"""Whether a Redis without a token is told to be another one than the tenants had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from orchestrator.aws.ecs import Service
from orchestrator.aws.elasticache import RedisState
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.errors import OrchestratorError, Problem
from orchestrator.steps import redis_auth

MADE = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEFORE, AFTER = MADE - timedelta(hours=1), MADE + timedelta(hours=1)
REDIS = SimpleNamespace(replication_group="redis", auth_secret_arn="arn", host="redis.example.com")
DENIED = OrchestratorError(Problem("access-denied", "no"))


@dataclass
class Context:
    """A stack of two tenants, and when ECS called their services steady."""

    group: RedisState
    steady: Mapping[str, Sequence[datetime]] | OrchestratorError

    @property
    def ecs(self) -> _Parts:
        return _Parts(self)

    elasticache = other_users = ecs

    @property
    def stack(self) -> Any:
        tenants = {
            name: SimpleNamespace(service=f"service-{name}", service_id=f"service-{name}") for name in ("a", "b")
        }
        owned = SimpleNamespace(manages=lambda *_: True, objection=lambda *_: "")
        return SimpleNamespace(redis=REDIS, tenants=tenants, ownership=owned, stack="s")


@dataclass
class _Parts:
    context: Context

    def group(self, _name: str) -> RedisState:
        return self.context.group

    def is_rotating(self, _arn: str) -> bool:
        return True

    def users(self, *_names: str) -> tuple[str, ...]:
        return ()

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        if isinstance(self.context.steady, OrchestratorError):
            raise self.context.steady
        said = {name: self.context.steady.get(name.removeprefix("service-"), ()) for name in names}
        events = {
            name: [ServiceEvent(at, f"(service {name}) has reached a steady state.") for at in times]
            for name, times in said.items()
        }
        return {name: Service(name, "arn", 1, 1, 0, (), happened=tuple(found)) for name, found in events.items()}


def found(context: Context) -> list[Problem]:
    facts = redis_auth.observe(cast("Any", context))
    return list(redis_auth.findings(facts))


FRESH = RedisState("redis", "available", tls=True, arn="arn:redis", created=MADE)


@pytest.mark.parametrize(
    ("steady", "named"),
    [
        ({}, ""),
        ({"a": [BEFORE]}, "a had been up"),
        ({"a": [BEFORE], "b": [BEFORE]}, "a, b had been up"),
        ({"a": [AFTER, BEFORE]}, ""),
        (DENIED, ""),
    ],
    ids=["a new stack", "one was up", "both were", "up again since", "nobody may look"],
)
def test_a_redis_that_was_made_anew_is_said_to_be_empty(steady: Any, named: str) -> None:
    problems = found(Context(FRESH, steady))
    assert [one.code for one in problems] == (["redis-data-gone"] if named else [])
    assert all(named in one.message and one.fix for one in problems)


def test_of_one_that_has_its_token_or_no_known_age_nothing_is_said() -> None:
    rotated = RedisState("redis", "available", tls=True, auth=True, arn="arn:redis", created=MADE)
    ageless = RedisState("redis", "available", tls=True, arn="arn:redis")
    assert [found(Context(one, {"a": [BEFORE]})) for one in (rotated, ageless)] == [[], []]
