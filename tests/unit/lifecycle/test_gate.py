"""No combination of flags, answers and backup states destroys data, except the one that was typed out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.consequences import Consequence, Effect, gate
from orchestrator.engine.check import Severity
from orchestrator.errors import Problem
from orchestrator.lifecycle.gate import Confirmation, Drift, KnownBackup, accepted, obstacles, phrase
from orchestrator.stack.contract import parse
from tests.unit.stack.test_contract import good

STACK = "onyx-prod"
GOOD = KnownBackup(stack=STACK, complete=True, quiet=True, running=False, database=Drift.SAME, files=Drift.SAME)
CONFIRMED = Confirmation(STACK, typed=STACK, shown="a" * 64, plan="a" * 64)
DEFECT = Problem("backup-snapshot-missing", "there is no snapshot")

words = st.sampled_from(
    [STACK, f"{STACK} without backup", "", "yes", "onyx-prod ", "ONYX-PROD", "other", "without backup"]
)
sums = st.sampled_from(["", "a" * 64, "b" * 64])
asked = st.builds(Confirmation, stack=st.just(STACK), typed=words, shown=sums, plan=sums, no_backup=st.booleans())
kept = st.builds(
    KnownBackup,
    stack=st.sampled_from([STACK, "onyx-demo", ""]),
    complete=st.booleans(),
    quiet=st.booleans(),
    defects=st.sampled_from([(), (DEFECT,), (DEFECT, DEFECT)]),
    running=st.booleans(),
    database=st.sampled_from(Drift),
    files=st.sampled_from(Drift),
)


def nothing_is_lost(state: KnownBackup) -> bool:
    """All that is in the stack is also in a good backup of it."""
    whole = state.complete and not state.defects and state.stack == STACK
    of_now = state.quiet and not state.running
    return whole and of_now and {state.database, state.files} <= {Drift.SAME, Drift.GONE}


@given(asked, kept)
def test_only_what_was_typed_out_loses_data(question: Confirmation, state: KnownBackup) -> None:
    if obstacles(question, state):
        return
    typed_out = question.no_backup and question.typed == f"{STACK} without backup"
    assert typed_out or nothing_is_lost(state)
    assert question.shown == question.plan != "", "what is destroyed is what was shown"


@given(asked, kept)
def test_an_answer_that_is_not_the_whole_phrase_destroys_nothing(question: Confirmation, state: KnownBackup) -> None:
    if question.typed != phrase(STACK, no_backup=question.no_backup):
        assert "destroy-not-confirmed" in [one.code for one in obstacles(question, state)]


def test_the_good_case_passes() -> None:
    assert obstacles(CONFIRMED, GOOD) == ()
    assert obstacles(CONFIRMED, replace(GOOD, database=Drift.GONE, files=Drift.GONE)) == (), (
        "a destroy cut short goes on"
    )


def test_without_a_backup_only_when_typed_out() -> None:
    given_up = replace(CONFIRMED, no_backup=True, typed=f"{STACK} without backup")
    assert obstacles(given_up, KnownBackup()) == ()
    assert obstacles(replace(given_up, typed=STACK), KnownBackup()), "the flag alone is not enough"
    assert obstacles(replace(given_up, no_backup=False), KnownBackup()), "the words alone are not either"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (KnownBackup(), "destroy-without-backup"),
        (replace(GOOD, complete=False), "destroy-without-backup"),
        (replace(GOOD, stack="onyx-demo"), "backup-of-another-stack"),
        (replace(GOOD, quiet=False), "backup-not-quiet"),
        (replace(GOOD, running=True), "backup-not-quiet"),
        (replace(GOOD, database=Drift.CHANGED), "backup-older-than-data"),
        (replace(GOOD, files=Drift.CHANGED), "backup-older-than-data"),
        (replace(GOOD, database=Drift.UNKNOWN), "backup-older-than-data"),
        (replace(GOOD, defects=(DEFECT,)), "backup-snapshot-missing"),
    ],
)
def test_each_reason_is_named_and_has_a_fix(state: KnownBackup, code: str) -> None:
    found = obstacles(CONFIRMED, state)
    assert [one.code for one in found] == [code]
    assert found[0].fix or code == DEFECT.code


def ends(effect: Effect, name: str) -> Consequence:
    return Consequence(code="c", effect=effect, name=name, says="it goes", why="w", then="t", severity=Severity.BLOCKER)


MINE = parse(
    {
        **good(),
        "bucket": "onyx-prod-file-store",
        "vespa": {"a": {"instance_id": "i-0123456789abcdef1", "host": "10.0.0.5"}},
    },
    "test",
)
HELD = [
    *(ends(Effect.LOSS, f"database:{tenant.database}") for tenant in MINE.tenants.values()),
    *(ends(Effect.LOSS, f"vespa:{tenant}") for tenant in MINE.vespa),
    ends(Effect.LOSS, f"bucket:{MINE.bucket}"),
    ends(Effect.OUTAGE, f"stack:{MINE.stack}"),
]


def test_what_the_backup_holds_needs_no_permission_of_its_own() -> None:
    assert gate(HELD, accepted(HELD, MINE, no_backup=False)) is None


@pytest.mark.parametrize("name", ["database:another", "bucket:reports", "key:1234", "zone:vigilon.app", "volume:vol-1"])
def test_what_no_backup_holds_must_be_named(name: str) -> None:
    """Another database in the same configuration; the key that the snapshots are encrypted with."""
    plan = [*HELD, ends(Effect.LOSS, name)]
    refusal = gate(plan, accepted(plan, MINE, no_backup=False))
    assert refusal is not None
    assert [one.fix for one in refusal.problems] == [f"if that is intended: --allow-loss {name}"]
    assert gate(plan, {name, *accepted(plan, MINE, no_backup=False)}) is None
    assert gate(plan, accepted(plan, MINE, no_backup=True)) is None, "all of it was given up in so many words"
