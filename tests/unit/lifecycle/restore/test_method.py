"""How a backup's data get into a stack, by what its configuration declares; and what a loaded dump may replace."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.database.model import WantedDatabase, beside, exchange
from orchestrator.engine.step import Blocked, Todo
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import digest, parse
from orchestrator.lifecycle.restore.databases_loaded import DatabasesLoadedFacts, LoadedDatabase, decide
from orchestrator.lifecycle.restore.method import DATABASE, INDEXES, RestoreMethod, way_of
from orchestrator.stack.indexes import OPENSEARCH, VESPA
from tests.unit.lifecycle.test_decisions import WHOLE, manifest

DUMPED = WHOLE.model_copy(update={"dumps": {}})
BOTH = WHOLE.model_copy(
    update={"opensearch": {"customer-a": WHOLE.index["customer-a"].model_copy(update={"snapshot": "snap-2"})}}
)
OF_VESPA = INDEXES[VESPA]
GIVEN = ['vespa_snapshots={"customer-a": "snap-1"}', "postgres_snapshot=s"]


@pytest.mark.parametrize(
    ("backup", "declared", "loads", "indexes", "given"),
    [
        (
            WHOLE,
            {DATABASE, OF_VESPA},
            False,
            {VESPA},
            ['vespa_snapshots={"customer-a": "snap-1"}', "postgres_snapshot=s"],
        ),
        (WHOLE, {DATABASE}, False, set(), ["postgres_snapshot=s"]),
        (
            DUMPED,
            {DATABASE, OF_VESPA},
            False,
            {VESPA},
            ['vespa_snapshots={"customer-a": "snap-1"}', "postgres_snapshot=s"],
        ),
        (DUMPED, {OF_VESPA}, True, {VESPA}, ['vespa_snapshots={"customer-a": "snap-1"}']),
        (DUMPED, set(), True, set(), []),
        (WHOLE, {DATABASE, *INDEXES.values()}, False, {VESPA, OPENSEARCH}, GIVEN),
        (BOTH, {DATABASE, OF_VESPA}, False, {VESPA}, GIVEN),
        (
            BOTH,
            {DATABASE, *INDEXES.values()},
            False,
            {VESPA, OPENSEARCH},
            [GIVEN[0], 'opensearch_snapshots={"customer-a": "snap-2"}', GIVEN[1]],
        ),
    ],
)
def test_snapshots_where_there_is_a_variable_else_dumps(
    backup: object, declared: set[str], loads: bool, indexes: set[str], given: list[str]
) -> None:
    assert way_of(backup, declared.__contains__) == RestoreMethod(tuple(given), loads, frozenset(indexes))  # type: ignore[arg-type]


def test_without_either_there_is_no_way() -> None:
    found = way_of(WHOLE, lambda _name: False)
    assert isinstance(found, Problem)
    assert (found.code, bool(found.fix)) == ("restore-without-way", True)


@given(
    st.builds(LoadedDatabase, st.just("d"), st.integers(0, 3), st.integers(0, 9), st.booleans(), st.none() | st.just(9))
)
def test_what_is_in_a_database_goes_only_when_that_was_named(one: LoadedDatabase) -> None:
    verdict = decide(DatabasesLoadedFacts({"a": one}))["a"]
    if isinstance(verdict, Todo):
        assert not one.tables
    if one.dump is not None and one.tables and not one.same:
        assert isinstance(verdict, Blocked)
        assert verdict.refused


@given(st.text("abc_", min_size=1, max_size=63))
def test_the_database_beside_has_a_name_of_its_own_that_fits(database: str) -> None:
    assert len(beside(database)) <= 63
    before, after = exchange(WantedDatabase("a", database, "role", None))
    assert not any(f'"{database}"' in one for one in before), "until the new one is whole, the old one is not touched"
    assert after[0].startswith(f'DROP DATABASE IF EXISTS "{database}"')


def test_a_manifest_without_dumps_is_as_it_was_before_there_were_any() -> None:
    old = manifest().sealed()
    assert '"dumps"' not in old.text()
    assert parse(old.text(), "test") == old
    dumped = manifest(dumps={"a": {"key": "k", "bytes": 1, "sha256": "s"}}).sealed()
    assert parse(dumped.text(), "test").dumps == dumped.dumps
    assert digest(dumped) != digest(old)
