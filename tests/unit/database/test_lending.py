"""Passwords lent for one command: packed, withdrawn whatever happens, and swept up after those who died."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestrator.database.lending import ROOM, PasswordLender, packed
from orchestrator.errors import Problem, Transient

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Store:
    """SSM's parameters, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.written: dict[str, datetime] = {}
        self.refuses = False

    def put(self, name: str, value: str, description: str) -> None:
        assert name not in self.kept
        self.kept[name], self.written[name] = value, NOW

    def delete(self, names: Sequence[str]) -> None:
        if self.refuses:
            raise Transient(Problem("aws-throttled", "later"))
        for name in names:
            self.kept.pop(name, None)

    def below(self, path: str) -> Mapping[str, datetime]:
        return {name: self.written[name] for name in self.kept if name.startswith(f"{path}/")}


def lender(store: Store, token: str = "mine") -> PasswordLender:
    return PasswordLender(store, "onyx prod", token, lambda: NOW)


def test_each_is_where_it_is_said_to_be_and_gone_afterwards() -> None:
    store = Store()
    secrets = {"": SecretStr("root"), "a": SecretStr("same"), "b": SecretStr("same")}
    with lender(store).lent(secrets) as places:
        assert {who: json.loads(store.kept[name])[key] for who, (name, key) in places.items()} == {
            "": "root",
            "a": "same",
            "b": "same",
        }
        assert len(store.kept) == 1
        assert all(name.startswith("/orchestrate/onyx-prod/look-mine-") for name in store.kept)
    assert store.kept == {}


def test_nothing_to_lend_is_no_call() -> None:
    with lender(Store()).lent({}) as places:
        assert places == {}


def test_it_is_withdrawn_when_the_command_fails() -> None:
    store = Store()
    with pytest.raises(KeyboardInterrupt), lender(store).lent({"": SecretStr("root")}):
        raise KeyboardInterrupt
    assert store.kept == {}


def test_what_could_not_be_withdrawn_is_withdrawn_next_time() -> None:
    store, mine = Store(), None
    mine = lender(store)
    with pytest.raises(Transient), mine.lent({"": SecretStr("root")}):
        store.refuses = True
    assert len(store.kept) == 1
    store.refuses = False
    with mine.lent({"": SecretStr("root")}):
        assert len(store.kept) == 2
    assert store.kept == {}


def test_a_run_sweeps_up_after_dead_runs_and_old_looks_only() -> None:
    store = Store()
    for name in ("run-dead-1/0", "look-alive-1/0", "look-dead-1/0"):
        store.put(f"/orchestrate/onyx-prod/{name}", "{}", "")
    store.put("/orchestrate/onyx-prod-2/run-other-1/0", "{}", "")
    store.written["/orchestrate/onyx-prod/look-dead-1/0"] = NOW - timedelta(minutes=16)
    mine = lender(store)
    mine.begin_run()
    assert sorted(store.kept) == ["/orchestrate/onyx-prod-2/run-other-1/0", "/orchestrate/onyx-prod/look-alive-1/0"]
    with mine.lent({"": SecretStr("root")}):
        assert any(name.startswith("/orchestrate/onyx-prod/run-mine-") for name in store.kept)


@given(st.lists(st.text(min_size=1, max_size=600), max_size=40))
def test_many_fit_and_none_is_lost(texts: list[str]) -> None:
    groups = packed(texts)
    assert [text for group in groups for text in group.values()] == list(dict.fromkeys(texts))
    assert all(len(json.dumps(group)) <= ROOM or len(group) == 1 for group in groups)
