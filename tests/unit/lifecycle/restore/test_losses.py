"""A restore onto a stack that lives: no combination of what is there, and what was named, loses what wasn't named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.app.plan_consequences import PlanConsequences
from orchestrator.aws.buckets import Stored
from orchestrator.consequences import Consequence, Effect, gate
from orchestrator.engine.check import Severity
from orchestrator.engine.step import STACK, Blocked, Todo
from orchestrator.index.report import Contents
from orchestrator.lifecycle.manifest import Manifest, TablePart
from orchestrator.lifecycle.restore import files_returned
from orchestrator.lifecycle.restore.losses import Present, losses, together
from orchestrator.lifecycle.restore.marker import BEGUN, DONE, REPLACING, RETURNED, Marker
from orchestrator.lifecycle.restore.proof import Tables
from orchestrator.lifecycle.transfer import ListingDifference, gap, overwriting
from tests.unit.lifecycle.test_decisions import TENANT, manifest
from tests.unit.lifecycle.test_gate import MINE

TENANTS = sorted(MINE.tenants)
INDEX = {
    "volume": "v",
    "snapshot": "snap",
    "size": 1,
    "encrypted": True,
    "taken": "t",
    "documents": 3,
    "digest": "d",
}


def table(rows: int, digest: str = "d") -> Tables:
    return {"public.chat": TablePart(rows=rows, digest=digest)}


def kept(*tenants: str) -> Manifest:
    parts = {
        name: {**TENANT, "database": MINE.tenants[name].database, "tables": {"public.chat": {"rows": 3, "digest": "d"}}}
        for name in tenants
    }
    return manifest(tenants=parts, index={name: INDEX for name in tenants if name in MINE.vespa})


objects = st.dictionaries(
    st.sampled_from("abc"),
    st.builds(Stored, key=st.just("k"), size=st.integers(0, 2), etag=st.sampled_from("xy"), modified=st.floats(0, 3)),
)
presents = st.builds(
    Present,
    tables=st.none()
    | st.dictionaries(st.sampled_from(TENANTS), st.sampled_from([{}, None, table(3), table(3, "x"), table(5)])),
    strangers=st.sampled_from([(), ("reports",)]),
    contents=st.dictionaries(
        st.sampled_from(sorted(one.word for one in MINE.indexes)), st.sampled_from([Contents(0, ""), Contents(7, "x")])
    ),
    unsaved=st.builds(ListingDifference, missing=objects),
)
backups = st.sets(st.sampled_from(TENANTS)).map(lambda names: kept(*sorted(names)))


def held(backup: Manifest, present: Present) -> set[str]:
    """Everything that is there and that a restore takes away, as `--allow-loss` names it."""
    found = {f"database:{name}" for name in present.strangers}
    for name, tenant in MINE.tenants.items():
        if present.tables is None or present.tables.get(name, {}) != {}:
            found.add(f"database:{tenant.database}")
    for name in MINE.vespa:
        now = present.contents.get(f"vespa:{name}")
        if name in backup.index and (now is None or now.documents):
            found.add(f"vespa:{name}")
    return found | ({f"bucket:{MINE.bucket}"} if present.unsaved.missing else set())


@given(backups, presents, st.data())
def test_only_what_was_named_is_lost(backup: Manifest, present: Present, data: st.DataObject) -> None:
    at_stake = held(backup, present)
    words = sorted({*at_stake, "database:onyx_other", "bucket:other", "yes", "all", "*", ""})
    named = data.draw(st.sets(st.sampled_from(words)))
    refusal = gate(losses(backup, MINE, present), named)
    assert (refusal is None) == (at_stake <= named)
    if refusal is not None:
        assert {one.fix.split("--allow-loss ")[1] for one in refusal.problems} == at_stake - named


@given(backups, presents)
def test_a_name_that_was_given_for_another_plan_allows_nothing(backup: Manifest, present: Present) -> None:
    ours = losses(backup, MINE, present)
    shown = PlanConsequences((), "").beside(ours, {"resource_changes": []})
    names = sorted(held(backup, present))
    assert shown.refusal([f"{one}@{shown.checksum[:12]}" for one in names]) is None
    other = shown.refusal([f"{one}@{'0' * 12}" for one in names])
    assert (other is None) == (not names)


def test_what_is_unread_counts_as_lost_and_what_is_empty_does_not() -> None:
    backup = kept(*TENANTS)
    unread = losses(backup, MINE, Present(tables=None))
    assert {one.name for one in unread} >= {f"database:{one.database}" for one in MINE.tenants.values()}
    empty = {one.word: Contents(0, "") for one in MINE.indexes}
    assert losses(backup, MINE, Present(tables={}, contents=empty)) == ()


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        (table(3), "unchanged since the backup: 3 rows"),
        (table(5), "table public.chat has 5 rows, not 3"),
        (table(3, "x"), "table public.chat has different contents"),
        (None, "it can't be read"),
    ],
)
def test_a_database_is_told_in_figures(tables: Tables | None, says: str) -> None:
    name = TENANTS[0]
    by_tenant: Mapping[str, Tables] | None = None if tables is None else {name: tables}
    found = {one.name: one for one in losses(kept(name), MINE, Present(tables=by_tenant))}
    assert says in found[f"database:{MINE.tenants[name].database}"].says


def test_a_tenant_that_the_backup_does_not_know_is_lost_with_the_server() -> None:
    found = losses(kept(), MINE, Present(tables={TENANTS[0]: table(4)}))
    assert "the backup has nothing of this tenant, so it loses 4 rows in 1 table" in found[0].says


def test_the_plan_and_the_restore_tell_each_loss_once() -> None:
    ours = losses(kept(*TENANTS), MINE, Present(tables={TENANTS[0]: table(5)}))
    planned = Consequence(
        code="database-lost",
        effect=Effect.LOSS,
        name=ours[0].name,
        says="it goes",
        why="w",
        then="t",
        address="module.postgres.aws_db_instance.this",
        severity=Severity.BLOCKER,
    )
    both = together([planned, replace(planned, name="database:another")], ours)
    assert sorted(one.name for one in both) == sorted({one.name for one in ours} | {"database:another"})
    (mine,) = (one for one in both if one.name == planned.name)
    assert (mine.code, mine.address) == ("restored-over", planned.address)


@given(objects, objects, st.floats(0, 3))
def test_files_become_the_backup_s_when_that_was_named(
    backup: dict[str, Stored], there: dict[str, Stored], since: float
) -> None:
    work = overwriting(backup, there, since)
    after = {key: one for key, one in there.items() if key not in work.surplus}
    after |= {key: replace(backup[key], modified=since + 1) for key in work.missing}
    assert overwriting(backup, after, since) == ListingDifference(), "nothing is left to do"
    assert after.keys() == backup.keys()
    assert all(one.etag == backup[key].etag or there[key].modified >= since for key, one in after.items())


@given(objects, objects)
def test_files_that_are_newer_stay_when_it_was_not(backup: dict[str, Stored], there: dict[str, Stored]) -> None:
    work = gap(backup, there)
    newer = tuple(sorted(key for key in work.missing if key in there and there[key].modified >= backup[key].modified))
    verdict = files_returned.decide(files_returned.FilesReturnedFacts("b", True, work, len(backup), newer))[STACK]
    if newer:
        assert isinstance(verdict, Blocked)
        assert verdict.refused
    elif isinstance(verdict, Todo):
        assert "delete" not in verdict.change


@pytest.mark.parametrize(("state", "goes_on"), [(REPLACING, False), (BEGUN, True), (RETURNED, True), (DONE, False)])
def test_what_replaces_live_data_is_decided_on_anew(state: str, goes_on: bool) -> None:
    """Cut short while Terraform replaced it, the gate is passed again."""
    assert Marker("onyx-prod", state, "t").under_way is goes_on
