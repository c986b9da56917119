"""What we take of DBOS beyond its public face, and what is said when it is not there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from dbos import DBOS

from orchestrator.errors import Invalid
from orchestrator.fleet.engine import FleetEngine
from orchestrator.fleet.orders import UNFINISHED, Order

ORDER = Order("run", (("a",), ("b",)), {"a": "-/-", "b": "-/-"})


def test_the_call_that_recovers_another_workers_orders_is_still_there() -> None:
    """It is not public. Without it: a PostgreSQL queue with heartbeats of its own (procrastinate) would do."""
    assert callable(DBOS._recover_pending_workflows)


def test_without_the_extra_its_name_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbos", None)
    with pytest.raises(Invalid) as refused:
        FleetEngine(f"sqlite:///{tmp_path}/fleet.sqlite")
    assert [one.code for one in refused.value.problems] == ["fleet-extra-missing"]
    assert "[fleet]" in refused.value.problems[0].fix


def test_a_database_that_cant_be_used_is_named_without_who_signs_in(tmp_path: Path) -> None:
    with pytest.raises(Invalid) as refused:
        FleetEngine("postgresql://fleet:secret@127.0.0.1:1/fleet")
    (problem,) = refused.value.problems
    assert (problem.code, problem.context) == ("fleet-database", "postgresql://127.0.0.1:1/fleet")
    assert "secret" not in str(refused.value)


def test_an_order_that_is_not_finished_is_given_once_and_can_be_cancelled(tmp_path: Path) -> None:
    engine = FleetEngine(f"sqlite:///{tmp_path}/fleet.sqlite")
    try:
        first = engine.submit(ORDER)
        assert engine.submit(ORDER) == first
        assert [(one.id, one.state, one.order) for one in engine.orders()] == [(first, UNFINISHED, ORDER)]
        engine.cancel(first)
        assert engine.order(first).state == "cancelled"
        assert engine.submit(ORDER) != first
        with pytest.raises(Invalid):
            engine.order("run-0-1")
    finally:
        engine.close()
