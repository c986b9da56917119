"""What each step of backup, destroy and restore decides, by the facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.aws.buckets import BucketState, Stored
from orchestrator.aws.ecs import Service
from orchestrator.aws.protection import Protected
from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.aws.volumes import DataVolume, VolumeSnapshot
from orchestrator.engine.graph import edges
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict, Wait
from orchestrator.lifecycle import backup, catalogue, restore, services_stopped
from orchestrator.lifecycle.backup import database_snapshot, files_copied, index_snapshots, place
from orchestrator.lifecycle.backup.index_snapshots import One
from orchestrator.lifecycle.destroy import bucket_emptied, nothing_left, unprotected
from orchestrator.lifecycle.manifest import IndexPart, KeyPart, TablePart
from orchestrator.lifecycle.restore import files_returned, keys_returned, proof
from orchestrator.lifecycle.tools import Contents
from orchestrator.lifecycle.transfer import Gap
from tests.unit.lifecycle.test_decisions import TENANT, manifest


def said(verdict: Verdict) -> tuple[str, Any]:
    """Kind, and what tells it from others of its kind."""
    if isinstance(verdict, Todo):
        return "todo", verdict.payload
    if isinstance(verdict, Wait):
        return "wait", verdict.code
    return ("blocked", verdict.problem.code) if isinstance(verdict, Blocked) else ("done", "")


INDEX = One("i-1", DataVolume("vol-1", 50, encrypted=True), running=True)
COUNTED = replace(INDEX, contents=Contents(3, "d"))
PENDING = VolumeSnapshot("snap-1", "pending", "0%")
COMPLETED = VolumeSnapshot("snap-1", "completed", "100%")


@pytest.mark.parametrize(
    ("one", "stays_stopped", "expected"),
    [
        (INDEX, False, ("todo", "count")),
        (COUNTED, False, ("todo", "stop")),
        (replace(COUNTED, running=False), False, ("todo", "take")),
        (replace(COUNTED, running=False, snapshot=PENDING), False, ("todo", "start")),
        (replace(COUNTED, running=True, snapshot=PENDING), False, ("wait", "index-snapshot-not-completed")),
        (replace(COUNTED, running=True, snapshot=COMPLETED), False, ("done", "")),
        (replace(COUNTED, running=False, snapshot=PENDING), True, ("wait", "index-snapshot-not-completed")),
        (replace(COUNTED, running=False, snapshot=COMPLETED), True, ("done", "")),
        (replace(INDEX, running=False), False, ("todo", "start to count")),
        (replace(INDEX, running=False, snapshot=COMPLETED), False, ("todo", "start")),
        (replace(INDEX, running=None), False, ("wait", "index-instance-offline")),
        (replace(INDEX, volume=None), False, ("done", "")),
        (replace(COUNTED, snapshot=VolumeSnapshot("snap-1", "error")), False, ("blocked", "index-snapshot-failed")),
    ],
)
def test_an_index(one: One, stays_stopped: bool, expected: tuple[str, str]) -> None:
    """After a crash the run has counted nothing: what it finds stopped without a snapshot, it starts and counts."""
    facts = index_snapshots.Facts(stays_stopped, {"customer-a": one})
    assert said(index_snapshots.decide(facts)["customer-a"]) == expected
    lost = [found.code for found in index_snapshots.findings(facts)]
    assert lost == ([] if one.volume else ["index-not-on-a-volume"])


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (DbSnapshot("s"), ("todo", "s")),
        (DbSnapshot("s", "creating", 40), ("wait", "database-snapshot-not-available")),
        (DbSnapshot("s", "available", 100), ("done", "")),
        (DbSnapshot("s", "failed"), ("blocked", "database-snapshot-failed")),
    ],
)
def test_the_database_snapshot(snapshot: DbSnapshot, expected: tuple[str, str]) -> None:
    assert said(database_snapshot.decide(database_snapshot.Facts(snapshot))[STACK]) == expected


@pytest.mark.parametrize(
    ("state", "begun", "expected"),
    [
        (BucketState(), False, ("todo", "create")),
        (BucketState(foreign=True), False, ("blocked", "backup-bucket-taken")),
        (BucketState(there=True), False, ("todo", "protect")),
        (BucketState(there=True, versioned=True), True, ("todo", "protect")),
        (BucketState(there=True, versioned=True, private=True), False, ("todo", "begin")),
        (BucketState(there=True, versioned=True, private=True), True, ("done", "")),
    ],
)
def test_the_backups_place(state: BucketState, begun: bool, expected: tuple[str, str]) -> None:
    assert said(place.decide(place.Facts("b", state, begun))[STACK]) == expected


def service(desired: int, running: int = 0, pending: int = 0) -> Service:
    return Service("s", "ACTIVE", desired, running, pending, ())


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (service(3, 3), ("todo", "s")),
        (service(0, 1), ("wait", "services-still-running")),
        (service(0, 0, 1), ("wait", "services-still-running")),
        (service(0), ("done", "")),
        (None, ("done", "")),
    ],
)
def test_a_service_to_be_stopped(found: Service | None, expected: tuple[str, str]) -> None:
    services = {"customer-a": found} if found else {}
    assert said(services_stopped.decide(services_stopped.Facts(("customer-a",), services))["customer-a"]) == expected


ONE = Gap({"k": Stored("k", 1, "e", 1.0)})


def test_files() -> None:
    decide = files_copied.decide
    assert said(decide(files_copied.Facts("b", gap=ONE))[STACK]) == ("todo", files_copied.fingerprint(ONE))
    assert said(decide(files_copied.Facts("b", gap=Gap({}, ("x",))))[STACK])[0] == "todo"
    assert said(decide(files_copied.Facts("b"))[STACK]) == ("done", "")
    assert said(decide(files_copied.Facts(""))[STACK]) == ("done", "")
    assert said(decide(files_copied.Facts("b", there=False))[STACK]) == ("blocked", "bucket-missing")
    back = files_returned.decide
    assert said(back(files_returned.Facts("b", True, ONE))[STACK])[0] == "todo"
    assert said(back(files_returned.Facts("b", True, Gap({}, ("own",))))[STACK]) == ("done", ""), "nothing is deleted"
    assert said(back(files_returned.Facts("", True, ONE))[STACK]) == ("blocked", "bucket-missing")
    assert said(back(files_returned.Facts("b", False, Gap()))[STACK]) == ("done", "")


@pytest.mark.parametrize(
    ("protected", "expected"),
    [
        (Protected(), ("done", "")),
        (Protected(database=True), ("todo", Protected(database=True))),
        (Protected(balancer=True), ("todo", Protected(balancer=True))),
        (Protected(database=True, changing=True), ("wait", "database-server-modifying")),
    ],
)
def test_protection(protected: Protected, expected: tuple[str, Any]) -> None:
    assert said(unprotected.decide(unprotected.Facts(protected))[STACK]) == expected


def test_what_is_left() -> None:
    assert said(bucket_emptied.decide(bucket_emptied.Facts("b", 7))[STACK]) == ("todo", 7)
    assert said(bucket_emptied.decide(bucket_emptied.Facts("b"))[STACK]) == ("done", "")
    assert said(nothing_left.decide(nothing_left.Facts(("NAT gateway nat-1",)))[STACK]) == ("wait", "left-over")
    assert said(nothing_left.decide(nothing_left.Facts(()))[STACK]) == ("done", "")


INSIDE = KeyPart(variable="ENCRYPTION_KEY_SECRET", kept="arn:copy", outside=False)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), ("done", "")),
        ((keys_returned.One(INSIDE, "arn:new", same=True),), ("done", "")),
        ((keys_returned.One(INSIDE, "arn:new", same=False),), ("todo", (("arn:copy", "arn:new"),))),
        ((keys_returned.One(INSIDE, "", same=True),), ("blocked", "key-without-place")),
        ((keys_returned.One(INSIDE.model_copy(update={"outside": True})),), ("done", "")),
    ],
)
def test_keys(keys: tuple[keys_returned.One, ...], expected: tuple[str, Any]) -> None:
    assert said(keys_returned.decide(keys_returned.Facts({"customer-a": keys}))["customer-a"]) == expected


CHAT = TablePart(rows=3, digest="12")
KEPT = manifest(
    tenants={"customer-a": {**TENANT, "tables": {"public.chat": CHAT.model_dump()}}},
    index={
        "customer-a": IndexPart(
            volume="v", snapshot="s", size=50, encrypted=True, taken="t", documents=3, digest="d"
        ).model_dump()
    },
    files={
        "source": "b",
        "prefix": "p/",
        "count": 1,
        "bytes": 1,
        "listing": "l",
        "samples": {"k": "h"},
        "taken": "t",
    },
)
BACK = proof.Facts(
    KEPT, {"customer-a": {"public.chat": CHAT}}, {"customer-a": Contents(3, "d")}, proof.Files(1, "l", {"k": "h"})
)


@pytest.mark.parametrize(
    ("facts", "who", "words"),
    [
        (replace(BACK, tables={"customer-a": {}}), "customer-a", "table public.chat is missing"),
        (
            replace(BACK, tables={"customer-a": {"public.chat": CHAT, "public.more": CHAT}}),
            "customer-a",
            "table public.more is new",
        ),
        (
            replace(BACK, tables={"customer-a": {"public.chat": TablePart(rows=2, digest="1")}}),
            "customer-a",
            "table public.chat has 2 rows, not 3",
        ),
        (
            replace(BACK, tables={"customer-a": {"public.chat": TablePart(rows=3, digest="1")}}),
            "customer-a",
            "table public.chat has other contents",
        ),
        (replace(BACK, contents={"customer-a": Contents(2, "e")}), "customer-a", "the index has 2 documents, not 3"),
        (replace(BACK, contents={"customer-a": Contents(3, "e")}), "customer-a", "the index has other documents"),
        (
            replace(BACK, files=proof.Files(2, "m", {"k": "h"})),
            STACK,
            "2 objects are there, 1 were: or others than were",
        ),
        (replace(BACK, files=proof.Files(1, "l", {"k": "x"})), STACK, "k has other contents"),
    ],
)
def test_the_proof_names_what_differs(facts: proof.Facts, who: str, words: str) -> None:
    verdict = proof.decide(facts)[who]
    assert isinstance(verdict, Blocked)
    assert (verdict.problem.code, verdict.problem.message) == ("restore-differs", words)
    assert verdict.problem.fix


def test_the_proof_says_identical() -> None:
    found = proof.decide(BACK)
    assert [one.detail for one in found.values() if isinstance(one, Done)] == [
        "identical: 1 objects",
        "identical: 3 rows in 1 tables, 3 documents",
    ]


def test_databases_of_a_backup_that_was_not_quiet_are_not_compared_and_that_is_said() -> None:
    facts = replace(BACK, manifest=KEPT.model_copy(update={"quiet": False}), tables={"customer-a": {}})
    assert isinstance(proof.decide(facts)["customer-a"], Done)
    assert [one.code for one in proof.findings(facts)] == ["proof-without-databases"]
    assert list(proof.findings(BACK)) == []


@pytest.mark.parametrize("steps", [backup.QUIET, backup.STOPPED, backup.LIVE, restore.DATA], ids=str)
def test_what_is_needed_comes_before(steps: tuple[Any, ...]) -> None:
    order = [step.id for step in steps]
    for step, needs in edges(steps).items():
        assert all(order.index(need) < order.index(step) or need == "services-stopped" for need in needs)


def test_every_step_has_a_name_of_its_own() -> None:
    names = [step.id for step in catalogue.own()]
    assert len(names) == len(set(names))
    assert "database-server" not in names
