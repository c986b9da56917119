"""What we changed is kept, and undoing it gives the zone back: a property over random zones, and the cases around."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dns import model, undo
from orchestrator.dns.history import FILE, History
from orchestrator.dns.model import Change, Record, ZonePlan
from orchestrator.dns.places import Connect
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.errors import OrchestratorError, PartlyFailed, Problem

ZONE = "vigilon.app"
OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
NEWER = "onyx-prod-alb-9.us-west-2.elb.amazonaws.com"
OTHER = "shop.example.com"

names = st.sampled_from([ZONE, *(f"{label}.{ZONE}" for label in ("demo", "customer-b", "www", "*"))])
targets = st.sampled_from([OLD, NEW, f"dualstack.{OLD}", OTHER])
ttls = st.sampled_from([60, 300, 600, 86400])


@dataclass
class Zone:
    """A provider with one zone, in memory."""

    held: frozenset[Record]
    name: str = "memory"
    apex: str = "ALIAS"
    minimum_ttl: int = 60

    def zones(self) -> frozenset[str]:
        return frozenset({ZONE})

    def check(self, zone: str) -> None:
        assert zone == ZONE

    def records(self, zone: str) -> frozenset[Record]:
        assert zone == ZONE
        return self.held

    def submit(self, zone: str, plan: ZonePlan) -> str:
        assert zone == ZONE
        for change in plan.changes:
            assert set(change.before) <= self.held
            self.held = (self.held - set(change.before)) | set(change.after)
        return ""

    def settled(self, ticket: str) -> bool:
        return ticket == ""


def connect(zone: Zone) -> Connect:
    return lambda _name: zone


def history(folder: Path, stack: str = "onyx-prod") -> History:
    return History(folder / ".orchestrate" / FILE, stack, lambda: datetime(2026, 1, 2, tzinfo=UTC))


def lead(zone: Zone, kept: History, wanted: Iterable[str], target: str = NEW, *, adopt: bool = False) -> ZonePlan:
    """What the step does: plan, keep, submit."""
    pointers = [
        model.pointer(name, target, zone=ZONE, ttl=300, apex="ALIAS", minimum_ttl=60, target_zone="Z1")
        for name in wanted
    ]
    plan = model.plan(ZONE, zone.held, pointers, model.former_names(target), adopt=adopt)
    kept.intend(zone.name, ZONE, plan.changes)
    zone.submit(ZONE, plan)
    return plan


def undone(zone: Zone, kept: History) -> tuple[undo.NameRestoration, ...]:
    found = undo.survey(kept, connect(zone), None)
    undo.restore(kept, connect(zone), found)
    return found


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(["CNAME", "ALIAS", "A", "AAAA", "TXT", "MX"]))
    if kind in {"CNAME", "ALIAS"}:
        return Record(draw(names), kind, (draw(targets),), draw(ttls))
    values = draw(
        st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "192.0.2.3"]), min_size=1, max_size=2, unique=True)
    )
    return Record(draw(names), kind, tuple(values), draw(ttls))


zones = st.lists(records(), max_size=12, unique_by=lambda record: (record.name, record.type)).map(frozenset)


@given(zones, st.frozensets(names), st.booleans())
def test_undo_gives_the_zone_back(held: frozenset[Record], wanted: frozenset[str], adopt: bool) -> None:
    with TemporaryDirectory() as folder:
        zone, kept = Zone(held), history(Path(folder))
        plan = lead(zone, kept, wanted, adopt=adopt)
        assert (zone.held == held) is (not plan.changes)
        assert not any(one.problem for one in undone(zone, kept))
        assert zone.held == held
        assert undone(zone, kept) == ()


@given(zones, st.frozensets(names), names)
def test_what_somebody_else_changed_since_is_left_alone(
    held: frozenset[Record], wanted: frozenset[str], taken: str
) -> None:
    with TemporaryDirectory() as folder:
        zone, kept = Zone(held), history(Path(folder))
        plan = lead(zone, kept, wanted, adopt=True)
        theirs = Record(taken, "CNAME", ("theirs.example.com",), 60)
        zone.held = frozenset(record for record in zone.held if record.name != taken) | {theirs}
        found = {one.entry.change.name: one for one in undone(zone, kept)}
        assert {record for record in zone.held if record.name == taken} == {theirs}
        assert {record for record in zone.held if record.name != taken} == {r for r in held if r.name != taken}
        if taken in {change.name for change in plan.changes}:
            problem = found[taken].problem
            assert problem is not None
            assert (problem.code, "theirs.example.com" in problem.message) == ("dns-changed-since", True)


def test_each_undo_goes_one_change_back(tmp_path: Path) -> None:
    first = Record("demo.vigilon.app", "A", ("192.0.2.1", "192.0.2.2"), 1234, origin=("raw",))
    zone, kept = Zone(frozenset({first})), history(tmp_path)
    lead(zone, kept, ["demo.vigilon.app"], adopt=True)
    lead(zone, kept, ["demo.vigilon.app"], NEWER)
    undone(zone, kept)
    assert [record.values for record in zone.held] == [(NEW,)]
    undone(zone, kept)
    assert zone.held == {first}
    [back] = zone.held
    assert back.origin == ("raw",), "what the provider needs to make it exactly so again"


def test_an_intent_that_never_became_a_change_is_passed_over(tmp_path: Path) -> None:
    """We were killed between the file and the provider."""
    zone, kept = Zone(frozenset({Record("demo.vigilon.app", "CNAME", (OLD,), 60)})), history(tmp_path)
    before = zone.held
    plan = lead(zone, kept, ["demo.vigilon.app"])
    zone.held = before
    [found] = undone(zone, kept)
    assert (found.change, found.problem) == (None, None)
    assert zone.held == before
    assert plan.changes
    assert kept.entries() == ()


def test_a_line_that_a_crash_tore_costs_no_other(tmp_path: Path) -> None:
    zone, kept = Zone(frozenset()), history(tmp_path)
    lead(zone, kept, ["demo.vigilon.app"])
    with kept.file.open("a") as file:
        file.write('{"schema": 1, "id": "torn", "chan')
    lead(zone, kept, ["customer-b.vigilon.app"])
    assert [entry.change.name for entry in kept.entries()] == ["demo.vigilon.app", "customer-b.vigilon.app"]
    undone(zone, kept)
    assert zone.held == frozenset()


def test_the_file_is_its_owners_and_each_stack_reads_its_own(tmp_path: Path) -> None:
    zone = Zone(frozenset())
    mine, theirs = history(tmp_path), history(tmp_path, "onyx-dev")
    lead(zone, mine, ["demo.vigilon.app"])
    assert mine.file.stat().st_mode & 0o777 == 0o600
    assert theirs.entries() == ()
    assert mine.written() == {NEW}
    [line] = mine.file.read_text().splitlines()
    assert (json.loads(line)["schema"], json.loads(line)["time"]) == (1, "2026-01-02T00:00:00+00:00")


def test_only_the_names_asked_for_are_undone(tmp_path: Path) -> None:
    zone, kept = Zone(frozenset()), history(tmp_path)
    lead(zone, kept, ["demo.vigilon.app", "customer-b.vigilon.app"])
    undo.restore(kept, connect(zone), undo.survey(kept, connect(zone), {"demo.vigilon.app"}))
    assert [record.name for record in zone.held] == ["customer-b.vigilon.app"]


def test_what_can_t_be_undone_holds_up_no_other_and_can_be_undone_later(tmp_path: Path) -> None:
    memory, kept = Zone(frozenset()), history(tmp_path)
    lead(memory, kept, ["demo.vigilon.app", "customer-b.vigilon.app"])
    found = undo.survey(kept, connect(memory), None)
    taken = memory.submit

    def refusing(zone: str, plan: ZonePlan) -> str:
        changes = tuple(change for change in plan.changes if change.name != "demo.vigilon.app")
        refused = OrchestratorError(Problem("dns-record-refused", "no", fix="correct it"))
        raise SubmittedInPart({"demo.vigilon.app": refused}, taken(zone, replace(plan, changes=changes)))

    memory.submit = refusing  # type: ignore[method-assign]
    with pytest.raises(PartlyFailed) as some:
        undo.restore(kept, connect(memory), found)
    assert set(some.value.failures) == {"demo.vigilon.app"}
    assert [record.name for record in memory.held] == ["demo.vigilon.app"]
    assert [entry.change.name for entry in kept.entries()] == ["demo.vigilon.app"]
    memory.submit = taken  # type: ignore[method-assign]
    undone(memory, kept)
    assert memory.held == frozenset()


def test_a_zone_that_can_t_be_read_leaves_its_own_names_alone(tmp_path: Path) -> None:
    memory, kept = Zone(frozenset()), history(tmp_path)
    lead(memory, kept, ["demo.vigilon.app"])

    def denied(zone: str) -> frozenset[Record]:
        raise OrchestratorError(Problem("access-denied", f"not {zone}", fix="allow it"))

    memory.records = denied  # type: ignore[method-assign]
    [found] = undo.survey(kept, connect(memory), None)
    assert found.problem is not None
    assert found.problem.code == "access-denied"
    assert undo.restore(kept, connect(memory), [found]) == []
    assert len(kept.entries()) == 1


def test_what_a_record_carries_is_kept_and_lines_of_before_are_read(tmp_path: Path) -> None:
    """A line of a version that knew nothing of it has no such field."""
    file = tmp_path / FILE
    history = History(file, "onyx-prod", lambda: datetime(2026, 1, 1, tzinfo=UTC))
    old = Record("demo.vigilon.app", "CNAME", ("shop.example.com",), 60, kept=('{"comment": "x"}',), origin=("r1",))
    history.intend("lexicon:cloudflare", "vigilon.app", [Change(old.name, (old,), ())])
    assert [entry.change.before for entry in history.entries()] == [(old,)]
    line = json.loads(file.read_text())
    del line["change"]["before"][0]["kept"]
    file.write_text(json.dumps(line) + "\n")
    assert [entry.change.before for entry in history.entries()] == [(replace(old, kept=()),)]
