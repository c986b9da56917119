"""The pure parts of backup and restore: what is missing between two buckets, what may be pruned, what is good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.buckets import Stored
from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.aws.volumes import VolumeSnapshot
from orchestrator.database.inventory import plain
from orchestrator.lifecycle.manifest import DatabasePart, FilesPart, IndexPart, Manifest
from orchestrator.lifecycle.pruned import BackupsPrunedFacts, findings, irreplaceable, superfluous
from orchestrator.lifecycle.restore.target import RestoreTarget, TenantTarget, obstacles
from orchestrator.lifecycle.transfer import gap, human, progress
from orchestrator.lifecycle.verify import FoundBackup, judge, listing
from tests.unit.lifecycle.test_manifest import PART

objects = st.dictionaries(
    st.sampled_from("abcde"),
    st.builds(Stored, key=st.just("k"), size=st.integers(0, 2), etag=st.sampled_from("xy"), modified=st.floats(0, 3)),
)


@given(objects, objects)
def test_after_copying_the_gap_nothing_is_missing(source: dict[str, Stored], target: dict[str, Stored]) -> None:
    work = gap(source, target)
    after = {key: one for key, one in target.items() if key not in work.surplus}
    after |= {key: replace(one, modified=one.modified + 1) for key, one in work.missing.items()}
    assert gap(source, after).missing == {}
    assert after.keys() == source.keys()
    assert all(after[key].size == one.size for key, one in source.items())


def test_an_object_written_again_after_its_copy_is_missing() -> None:
    copy = Stored("k", 3, "copied", 10.0)
    assert gap({"k": Stored("k", 3, "first", 5.0)}, {"k": copy}).missing == {}, "an ETag may change in a copy"
    assert set(gap({"k": Stored("k", 3, "second", 20.0)}, {"k": copy}).missing) == {"k"}


def manifest(**changes: Any) -> Manifest:
    return Manifest.model_validate({**PART, **changes})


@pytest.mark.parametrize(
    ("states", "keep", "gone"),
    [
        (["c", "c", "c"], 1, 2),
        (["c", "c", "c"], 2, 1),
        (["c", "c", "c"], 5, 0),
        (["i", "c", "i", "c"], 1, 2),
        (["i", "i"], 1, 0),
        (["c", "c"], 0, 1),
    ],
)
def test_the_newest_good_ones_are_never_pruned(states: list[str], keep: int, gone: int) -> None:
    """`states`: the newest first; c complete, i in progress."""
    words = {"c": "complete", "i": "in-progress"}
    found = [manifest(id=f"2026010{9 - n}", state=words[state]) for n, state in enumerate(states)]
    assert len(superfluous(found, keep)) == gone
    kept = [one for one in found if one not in superfluous(found, keep)]
    assert any(one.complete for one in kept) or not any(one.complete for one in found)


def holding(day: int, **more: Any) -> Manifest:
    """Complete, of that day; `files`: how many."""
    files = {"source": "b", "prefix": "p/", "bytes": 10, "listing": "x", "samples": {}, "taken": "t"}
    found = {**files, "count": more["files"]} if "files" in more else None
    index = {name: {**INDEX, "documents": number} for name, number in more.get("index", {}).items()}
    return manifest(id=f"2026010{day}", state="complete", files=found, index=index)


INDEX = {"volume": "v", "snapshot": "s", "size": 1, "encrypted": True, "taken": "t", "digest": ""}


@pytest.mark.parametrize(
    ("backups", "keep", "kept_beyond"),
    [
        ([holding(3, files=2), holding(2, files=1), holding(1, files=5)], 1, {}),
        ([holding(3, files=0), holding(2, files=1), holding(1, files=5)], 1, {"20260102": ("files",)}),
        (
            [holding(4, files=0), holding(3, files=0), holding(2, files=0), holding(1, files=5)],
            2,
            {"20260101": ("files",)},
        ),
        ([holding(3, files=0), holding(2, files=7)], 2, {}),
        (
            [holding(2, index={"a": 0, "b": 3}), holding(1, index={"a": 4, "b": 1})],
            1,
            {"20260101": ("documents of a",)},
        ),
        ([holding(2, index={"b": 3}), holding(1, index={"a": 4, "b": 1})], 1, {}),
        ([holding(2, index={"a": None}), holding(1, index={"a": 4})], 1, {}),
    ],
    ids=["fewer", "emptied", "emptied long ago", "both stay", "an index lost", "a tenant taken out", "not counted"],
)
def test_the_last_backup_that_holds_what_newer_ones_lack_is_not_pruned(
    backups: list[Manifest], keep: int, kept_beyond: dict[str, tuple[str, ...]]
) -> None:
    assert {one.id: lost for one, lost in irreplaceable(backups, keep)} == kept_beyond
    assert {one.id for one in superfluous(backups, keep)} == {one.id for one in backups[keep:]} - kept_beyond.keys()
    problems = list(findings(BackupsPrunedFacts(keep, tuple(backups))))
    assert [problem.context for problem in problems] == list(kept_beyond)
    assert all(problem.fix for problem in problems)


STORED = (Stored("p/a", 6, "e", 1.0), Stored("p/ü", 4, "e", 1.0))
WHOLE = manifest(
    database=DatabasePart(
        instance="i", snapshot="s", arn="arn", size=20, encrypted=True, engine="postgres 16", taken="t"
    ).model_dump(),
    files=FilesPart(
        source="b", prefix="p/", count=2, bytes=10, listing=listing(STORED, "p/"), samples={"a": "h"}, taken="t"
    ).model_dump(),
    index={
        "customer-a": IndexPart(
            volume="v", snapshot="snap-1", size=50, encrypted=True, taken="t", documents=3, digest="d"
        ).model_dump()
    },
)
SEEN = FoundBackup(
    snapshot=DbSnapshot("s", "available", 100, size=20, encrypted=True),
    volumes={"snap-1": VolumeSnapshot("snap-1", "completed")},
    objects={one.key.removeprefix("p/"): one for one in STORED},
    hashes={"a": "h"},
)


def test_a_whole_backup_is_good() -> None:
    assert judge(WHOLE, SEEN) == ()


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (replace(SEEN, snapshot=DbSnapshot("s")), "backup-snapshot-missing"),
        (replace(SEEN, snapshot=DbSnapshot("s", "failed")), "backup-snapshot-unusable"),
        (replace(SEEN, snapshot=DbSnapshot("s", "available", size=20)), "backup-snapshot-differs"),
        (replace(SEEN, objects={"a": STORED[0]}), "backup-objects-differ"),
        (replace(SEEN, objects={"a": STORED[0], "b": replace(STORED[1], key="p/b")}), "backup-objects-differ"),
        (replace(SEEN, hashes={"a": "other"}), "backup-object-damaged"),
        (replace(SEEN, hashes={}), "backup-object-damaged"),
        (replace(SEEN, volumes={}), "backup-index-missing"),
        (replace(SEEN, volumes={"snap-1": VolumeSnapshot("snap-1", "pending")}), "backup-index-unusable"),
    ],
)
def test_each_defect_is_found(seen: FoundBackup, code: str) -> None:
    found = judge(WHOLE, seen)
    assert [one.code for one in found] == [code]
    assert found[0].fix


def test_all_defects_at_once_and_an_unfinished_one_is_none() -> None:
    assert len(judge(WHOLE, FoundBackup())) == 4
    assert [one.code for one in judge(manifest(state="in-progress"), SEEN)] == ["backup-incomplete"]


TENANT = {
    "desired": 1,
    "hostname": "demo.vigilon.app",
    "record": "",
    "database": "onyx_customer_a",
    "bytes": 1,
    "tables": {},
    "settings": {},
    "keys": [],
}
OF_ONE = manifest(tenants={"customer-a": TENANT})
SAME = RestoreTarget(
    "onyx-prod", "123456789012", "us-west-2", {"customer-a": TenantTarget("demo.vigilon.app", "onyx_customer_a")}
)
CLONE = replace(
    SAME, stack="onyx-staging", tenants={"customer-a": TenantTarget("staging.vigilon.app", "onyx_customer_a")}
)


@pytest.mark.parametrize(
    ("target", "codes"),
    [
        (SAME, []),
        (CLONE, []),
        (replace(SAME, live=True), []),
        (replace(SAME, live=True, replaceable=False), ["restore-onto-live"]),
        (replace(CLONE, tenants=SAME.tenants), ["clone-needs-hostnames"]),
        (replace(SAME, region="eu-west-1"), ["restore-elsewhere"]),
        (replace(SAME, account_id="999999999999"), ["restore-elsewhere"]),
        (replace(SAME, tenants={"other": TenantTarget("o.vigilon.app", "onyx_other")}), ["restore-tenant-missing"]),
        (
            replace(SAME, tenants={"customer-a": TenantTarget("demo.vigilon.app", "another")}),
            ["restore-database-differs"],
        ),
    ],
)
def test_where_a_backup_may_go(target: RestoreTarget, codes: list[str]) -> None:
    found = obstacles(OF_ONE, target)
    assert [one.code for one in found] == codes
    assert all(one.fix for one in found)


def test_progress_says_rate_and_what_is_left() -> None:
    assert progress(1200, 5000, 3_400_000_000, 12_000_000_000, 40.0) == (
        "1200 of 5000 objects, 3.4 GB of 12.0 GB, 85.0 MB/s, 101 s left"
    )
    assert progress(0, 1, 0, 0, 0.0) == "0 of 1 object, 0 B of 0 B, 0 B/s"
    assert human(2.5e15) == "2500.0 TB"


def test_settings_lose_what_sounds_secret_at_any_depth() -> None:
    assert plain({"a": [{"api_key": "x", "b": 1}], "password": "y"}) == {"a": [{"b": 1}]}
