"""What the steps of backup, destroy and restore do together; what each decides is in tests/cases."""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.app.pausing import PauseContext
from orchestrator.aws.autoscaling import ALL, Scaling, Suspension
from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.aws.volumes import DataVolume
from orchestrator.engine.graph import edges
from orchestrator.engine.step import STACK, Done, Todo, Verdict
from orchestrator.index.vespa import PROVIDER
from orchestrator.lifecycle import backup, catalogue, freshness, restore
from orchestrator.lifecycle.backup import index_snapshots
from orchestrator.lifecycle.backup.index_snapshots import IndexSnapshots, IndexState
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp
from orchestrator.lifecycle.restore import proof
from orchestrator.lifecycle.resume import pause_forgotten, services_started
from orchestrator.lifecycle.resume.instances_started import InstancesStartedContext
from orchestrator.lifecycle.tools import ReadSoFar, Tools
from orchestrator.stack.indexes import PlacedIndex, Vespa
from tests.unit.lifecycle.test_decisions import TENANT, manifest

OF_VESPA = IndexSnapshots(PROVIDER)

BACKUPS = PausedService(Stamp("2026-11-20T09:00:00Z", "backup/bob@desk"), 3, Scaling(2, 9, Suspension()))
SOMEBODYS = PausedService(Stamp("2026-11-19T09:00:00Z", "eve@desk"), 5)
SERVER = ServerState("onyx-prod-postgres", "available", tags={TAG: str(SOMEBODYS.stamp)})


def returned(step: str, facts: Any) -> Verdict:
    (found,) = (one for one in backup.STOPPED if one.id == step)
    return found.decide(facts)["a"]


def held(memory: PausedService | None, desired: int = 0) -> dict[str, Count]:
    return {"s": Count("s", "arn", desired, tags={TAG: str(memory)} if memory else {})}


def test_after_a_backup_services_run_again_that_it_has_stopped() -> None:
    facts = services_started.ServicesStartedFacts({"a": "s"}, held(BACKUPS), {})
    assert returned("services-started", facts) == Todo("scale s from 0 to 3", services_started.ScaleUp("s", 3))
    up = pause_forgotten.PauseForgottenFacts({"a": "s"}, held(BACKUPS, 3), {"s": Scaling(2, 9, ALL)}, SERVER)
    assert isinstance(returned("pause-forgotten", up), Todo)
    forgotten = pause_forgotten.PauseForgottenFacts({"a": "s"}, held(None, 3), {"s": Scaling(2, 9)}, SERVER)
    assert isinstance(returned("pause-forgotten", forgotten), Done)


def test_what_somebody_had_paused_before_the_backup_stays_so() -> None:
    """Its services, and the mark on the database server."""
    facts = services_started.ServicesStartedFacts({"a": "s"}, held(SOMEBODYS), {})
    for step, seen in (
        ("services-started", facts),
        ("pause-forgotten", pause_forgotten.PauseForgottenFacts({"a": "s"}, held(SOMEBODYS), {}, SERVER)),
    ):
        verdict = returned(step, seen)
        assert isinstance(verdict, Done)
        assert "eve@desk" in verdict.detail
    (forgetting,) = (one for one in backup.STOPPED if one.id == "pause-forgotten")
    assert isinstance(forgetting.decide(pause_forgotten.PauseForgottenFacts({}, {}, {}, SERVER))[STACK], Done)


BEGUN = datetime(2026, 11, 20, 8, 59, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("found", "undisturbed"),
    [
        (held(BACKUPS), True),
        (held(SOMEBODYS), True),
        ({**held(BACKUPS), "t": Count("t", "arn", 1)}, False),
        (held(BACKUPS, 1), False),
        (held(PausedService(Stamp("2026-11-20T10:00:00Z", "eve@desk"), 3)), False),
        (held(None), False),
    ],
    ids=["stopped", "paused-before", "one-runs", "raised", "resumed-and-paused-again", "nobody-knows"],
)
def test_an_unfinished_backup_is_gone_on_with_while_nothing_has_run(found: dict[str, Count], undisturbed: bool) -> None:
    """Else its snapshot would be older than the rows that are counted now."""
    assert freshness.undisturbed(found.values(), BEGUN) is undisturbed


@pytest.mark.parametrize(
    ("found", "has_run"),
    [
        (held(BACKUPS), False),
        (held(SOMEBODYS), False),
        ({**held(BACKUPS), "t": Count("t", "arn", 1)}, True),
        (held(BACKUPS, 1), True),
        (held(PausedService(Stamp("2026-11-20T09:00:01Z", "eve@desk"), 3)), True),
        (held(PausedService(Stamp("2026-11-20T09:00:01Z", "backup/eve@desk"), 3)), True),
        (held(None), False),
    ],
    ids=["stopped", "paused-before", "one-runs", "raised", "paused-again", "stopped-again", "tags-taken-away"],
)
def test_a_restore_takes_nothing_for_named_that_was_written_since(found: dict[str, Count], has_run: bool) -> None:
    """Losses were named for what was there when it began; Terraform may have taken the tags away meanwhile."""
    assert freshness.has_run(found.values(), datetime(2026, 11, 20, 9, tzinfo=UTC)) is has_run


def test_an_index_that_no_snapshot_can_hold_is_said() -> None:
    indexes = {
        "a": IndexState("i-1", None, running=True),
        "b": IndexState("i-2", DataVolume("v", 50, encrypted=True), running=True),
    }
    said = list(OF_VESPA.findings(index_snapshots.IndexSnapshotsFacts(stays_stopped=False, indexes=indexes)))
    assert [one.code for one in said] == ["index-not-on-a-volume"]


def test_what_a_proof_can_not_say_is_said() -> None:
    facts = proof.ProofFacts(manifest(quiet=False, tenants={"customer-a": TENANT}))
    assert [one.code for one in proof.findings(facts)] == ["proof-without-databases", "index-to-be-made-again"]


def test_what_reads_waits_for_what_a_pause_had_stopped() -> None:
    """And it is stopped again when everything is verified; a destroy leaves it."""
    needs = edges(backup.PAUSED)
    assert "database-started" in needs["database-server"]
    assert "instances-started" in needs["runner"] & needs["index-snapshots"]
    order = [step.id for step in backup.PAUSED]
    assert order[:2] == ["database-started", "instances-started"]
    assert order[-2:] == ["database-stopped", "instances-stopped"]
    assert needs["database-stopped"] == needs["instances-stopped"] == {"pause-forgotten"}
    destroyed = {step.id for step in backup.steps_of(manifest(quiet=True, purpose="destroy"), paused=True)}
    assert {"database-started", "instances-started"} < destroyed
    assert destroyed.isdisjoint({"database-stopped", "instances-stopped", "services-started"})


@pytest.mark.parametrize(
    "steps",
    [backup.QUIET, backup.STOPPED, backup.LIVE, backup.PAUSED, backup.PAUSED_AND_DESTROYED, restore.DATA],
    ids=["quiet", "stopped", "live", "paused", "paused-and-destroyed", "restore"],
)
def test_what_is_needed_comes_before(steps: tuple[Any, ...]) -> None:
    order = [step.id for step in steps]
    for step, needs in edges(steps).items():
        assert all(order.index(need) < order.index(step) for need in needs)


@pytest.mark.parametrize("steps", [restore.DATA, restore.LOADED], ids=["from snapshots", "from dumps"])
def test_a_restore_makes_no_database_while_a_service_runs(steps: tuple[Any, ...]) -> None:
    """It would fill it: what is loaded then would meet rows that are not the backup's."""
    before = edges(steps)
    writing = {step.id for step in steps} & {"tenant-databases", "databases-loaded", "files-returned", "keys-returned"}
    for step in writing:
        found: set[str] = set()
        waiting = [step]
        while waiting:
            needed = before[waiting.pop()] - found
            found |= needed
            waiting += needed
        assert "services-at-zero" in found, step


def test_every_step_has_a_name_of_its_own() -> None:
    names = [step.id for step in catalogue.own()]
    assert len(names) == len(set(names))
    assert {"database-server", "services-at-zero", "services-started"}.isdisjoint(names)


PLAIN = DataVolume("vol-1", 50, encrypted=True, device="/dev/sdf")
OTHER = DataVolume("vol-2", 20, encrypted=True, device="/dev/sdg")
MARKED = DataVolume("vol-3", 20, encrypted=True, device="/dev/sdh", tags={index_snapshots.INDEX_TAG: "yes"})


@pytest.mark.parametrize(
    ("volumes", "said", "held"),
    [
        ([], "", None),
        ([PLAIN], "", PLAIN),
        ([PLAIN], "vol-9", PLAIN),
        ([PLAIN, OTHER], "", None),
        ([PLAIN, OTHER], "vol-2", OTHER),
        ([PLAIN, OTHER], "vol-9", None),
        ([PLAIN, OTHER, MARKED], "vol-2", MARKED),
        ([MARKED, MARKED], "", None),
    ],
)
def test_of_several_volumes_the_index_s_is_told_or_none(
    volumes: list[DataVolume], said: str, held: DataVolume | None
) -> None:
    assert index_snapshots.chosen(volumes, said) == held


def test_a_volume_that_is_not_kept_is_said() -> None:
    one = IndexState("i-1", PLAIN, running=True, others=("vol-2",))
    found = list(OF_VESPA.findings(index_snapshots.IndexSnapshotsFacts(stays_stopped=False, indexes={"a": one})))
    assert [(one.code, "vol-2" in one.message) for one in found] == [("other-volumes-not-kept", True)]


class Shell:
    """Instances whose containers run or not; keeps on which ones a command was run."""

    def __init__(self, running: dict[str, bool]) -> None:
        self.running = running
        self.asked: list[str] = []

    def run(self, instance: str, _script: str, **_: Any) -> Any:
        self.asked.append(instance)
        return SimpleNamespace(stdout=json.dumps({"running": self.running[instance]}))


def test_a_container_that_runs_beside_its_snapshot_is_asked_no_more() -> None:
    """Of ninety tenants, a look at each would cost more than the snapshots that are waited for."""
    shell = Shell({"i-0a": True, "i-0b": False, "i-0c": True})
    indexes = [PlacedIndex("vespa", name, Vespa(instance_id=f"i-0{name}", host="10.0.0.1")) for name in "abc"]
    tools: Any = SimpleNamespace(memory=ReadSoFar(), ssm=shell, stack=SimpleNamespace(indexes=indexes))

    def looked(*taken: str, stays_stopped: bool = False) -> list[str]:
        shell.asked.clear()
        states = OF_VESPA.states(tools, list("abc"), taken, stays_stopped=stays_stopped)
        assert states.results == {name: shell.running[f"i-0{name}"] for name in "abc"}
        return sorted(shell.asked)

    assert looked() == ["i-0a", "i-0b", "i-0c"]
    assert looked("a", "b") == ["i-0a", "i-0b", "i-0c"], "what was seen before its snapshot says nothing of after it"
    assert looked("a", "b") == ["i-0b", "i-0c"]
    shell.running["i-0b"] = True
    assert looked("a", "b", "c") == ["i-0b", "i-0c"]
    assert looked("a", "b", "c") == []


def test_before_a_destroy_a_stopped_container_is_where_it_shall_be() -> None:
    shell = Shell({"i-0a": False})
    indexes = [PlacedIndex("vespa", "a", Vespa(instance_id="i-0a", host="10.0.0.1"))]
    tools: Any = SimpleNamespace(memory=ReadSoFar(), ssm=shell, stack=SimpleNamespace(indexes=indexes))
    for _ in range(3):
        assert OF_VESPA.states(tools, ["a"], {"a"}, stays_stopped=True).results == {"a": False}
    assert shell.asked == ["i-0a"]


@pytest.mark.parametrize("context", [Tools, PauseContext])
def test_what_starts_instances_finds_what_it_asks_for_in_a_backup_as_in_a_resume(context: type[Any]) -> None:
    asked = {name for name in vars(InstancesStartedContext) if not name.startswith("_")}
    assert asked <= {one.name for one in fields(context)} | set(dir(context))
