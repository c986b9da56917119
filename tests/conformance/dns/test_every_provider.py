"""Every DNS provider does the same."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from orchestrator import dns
from orchestrator.dns.model import Change, Record, ZonePlan
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.errors import Invalid, OrchestratorError, Refused, Transient
from tests.conformance.dns.worlds import LB_ZONE, NEW, OLD, ZONE, World, connection


def test_the_name_is_the_entry_points(world: World) -> None:
    assert world.provider.name in (*dns.known(), "lexicon:porkbun", "lexicon:cloudflare")
    world.provider.check(ZONE)


def test_create_then_nothing_more_is_sent(world: World) -> None:
    world.bring("demo.vigilon.app")
    created = world.pointer_at("demo.vigilon.app")
    assert (created.type, created.values, created.ttl) == ("CNAME", (NEW,), 700)
    sent = world.writes()
    again = world.plan("demo.vigilon.app")
    assert again.changes == ()
    assert world.provider.settled(world.provider.submit(ZONE, again))
    assert world.writes() == sent


def test_update_keeps_ttl_and_every_other_record(world: World) -> None:
    world.write(Record("demo.vigilon.app", "CNAME", (OLD,), 900))
    world.write(Record("mail.vigilon.app", "MX", ("10 mail.example.com",), 900))
    others = {record for record in world.provider.records(ZONE) if record.name != "demo.vigilon.app"}
    world.bring("demo.vigilon.app")
    updated = world.pointer_at("demo.vigilon.app")
    assert (updated.type, updated.values, updated.ttl) == ("CNAME", (NEW,), 900)
    assert {record for record in world.provider.records(ZONE) if record.name != "demo.vigilon.app"} == others


def test_there_and_back_again(world: World) -> None:
    for target in (OLD, NEW, OLD):
        world.bring("demo.vigilon.app", target=target)
        assert world.pointer_at("demo.vigilon.app").points_to(target)


def test_the_apex_leads_there_beside_its_other_records(world: World) -> None:
    before = world.at(ZONE)
    world.bring(ZONE, target=OLD)
    world.bring(ZONE)
    pointer = world.pointer_at(ZONE)
    assert pointer.type == world.provider.apex
    assert pointer.points_to(NEW)
    assert [record for record in world.at(ZONE) if record != pointer] == before
    assert world.plan(ZONE).changes == ()


def test_a_change_of_type(world: World) -> None:
    """Addresses in place of a name, which a person gave up."""
    world.write(Record("demo.vigilon.app", "A", ("192.0.2.1", "192.0.2.2"), 600))
    world.adopt("demo.vigilon.app")
    [record] = world.at("demo.vigilon.app")
    assert (record.type, record.values) == ("CNAME", (NEW,))


def test_a_foreign_record_is_refused_and_stays(world: World) -> None:
    world.write(Record("demo.vigilon.app", "CNAME", ("somebody.example.com",), 900))
    plan = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    sent = world.writes()
    with pytest.raises(Refused, match=r"somebody\.example\.com"):
        world.provider.submit(ZONE, plan)
    assert world.writes() == sent
    assert world.pointer_at("demo.vigilon.app").values == ("somebody.example.com",)


@pytest.mark.parametrize("name", ["demo.vigilon.app", ZONE])
@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(None, id="nothing"),
        pytest.param(("CNAME", ("shop.example.com",), 1234), id="a CNAME"),
        pytest.param(("A", ("192.0.2.1", "192.0.2.2"), 1234), id="two addresses"),
        pytest.param(("CNAME", (OLD,), 1234), id="an old name of ours"),
    ],
)
def test_adopted_and_undone_the_zone_is_what_it_was(
    world: World, name: str, theirs: tuple[str, tuple[str, ...], int] | None
) -> None:
    if theirs:
        kind, values, ttl = theirs
        at_apex = name == ZONE and kind == "CNAME"
        alias = Record(name, "A", values, None, alias_zone=LB_ZONE)
        apex = alias if world.provider.apex == "A" else Record(name, world.provider.apex, values, ttl)
        world.write(apex if at_apex else Record(name, kind, values, ttl))
    before = world.raw()
    plan = world.adopt(name)
    assert world.pointer_at(name).points_to(NEW)
    assert world.raw() != before
    assert len(plan.changes) == 1
    world.undo(plan)
    assert world.raw() == before


def test_what_is_no_address_is_never_adopted(world: World) -> None:
    world.write(Record("demo.vigilon.app", "TXT", ('"v=spf1 -all"',), 600))
    before = world.raw()
    with pytest.raises(Refused):
        world.adopt("demo.vigilon.app")
    assert world.raw() == before


def test_the_zones_are_those_of_the_credentials(world: World) -> None:
    assert (ZONE in world.provider.zones()) is (not world.provider.name.startswith("lexicon:")), "it knows no list"
    assert "not-ours.example" not in world.provider.zones()


def test_many_records_in_one_plan(world: World) -> None:
    hostnames = [f"customer-{number}.vigilon.app" for number in range(150)]
    world.bring(*hostnames[:75], target=OLD)
    world.bring(*hostnames)
    found = {record.name: record for record in world.provider.records(ZONE)}
    assert all(found[name].points_to(NEW) for name in hostnames)
    assert world.plan(*hostnames).changes == ()


def test_a_record_that_went_meanwhile_is_seen_by_the_next_plan(world: World) -> None:
    world.bring("demo.vigilon.app", target=OLD)
    stale = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    world.erase("demo.vigilon.app")
    with pytest.raises(OrchestratorError):
        world.provider.submit(ZONE, stale)
    world.bring("demo.vigilon.app", "customer-b.vigilon.app")
    assert world.pointer_at("demo.vigilon.app").points_to(NEW)
    assert world.pointer_at("customer-b.vigilon.app").points_to(NEW)


def test_a_zone_that_is_not_there(world: World) -> None:
    with pytest.raises(Invalid) as refusal:
        world.provider.check("not-ours.example")
    # dns-lexicon's providers say the same of a wrong key and a wrong zone.
    expected = "dns-credentials-rejected" if world.provider.name.startswith("lexicon:") else "dns-zone-not-found"
    assert [problem.code for problem in refusal.value.problems] == [expected]
    assert "not-ours.example" in str(refusal.value)


def test_a_plan_that_is_sent_twice_after_a_crash_does_no_harm(world: World) -> None:
    """Killed after some changes: the next run plans anew from what is there."""
    hostnames = [f"{letter}.vigilon.app" for letter in "abcd"]
    world.bring(*hostnames, target=OLD)
    half = replace(plan := world.plan(*hostnames), changes=plan.changes[:2])
    world.provider.submit(ZONE, half)
    rest = world.plan(*hostnames)
    assert {change.name for change in rest.changes} == {change.name for change in plan.changes[2:]}
    world.provider.submit(ZONE, rest)
    assert all(world.pointer_at(name).points_to(NEW) for name in hostnames)
    assert world.plan(*hostnames).changes == ()


def test_one_value_that_somebody_changed_in_between_loses_none_of_the_others(world: World) -> None:
    world.bring("demo.vigilon.app", "customer-b.vigilon.app", target=OLD)
    stale = world.plan("demo.vigilon.app", "customer-b.vigilon.app")
    world.erase("demo.vigilon.app")
    with contextlib.suppress(OrchestratorError):
        world.provider.submit(ZONE, stale)
    world.bring("demo.vigilon.app", "customer-b.vigilon.app")
    assert world.pointer_at("customer-b.vigilon.app").points_to(NEW)
    assert world.pointer_at("demo.vigilon.app").points_to(NEW)


def test_one_refused_record_holds_up_no_other(world: World) -> None:
    names = ("a.vigilon.app", "c.vigilon.app", "d.vigilon.app")
    bad = Change("b.vigilon.app", (), (Record("b.vigilon.app", "A", ("no-address",), 600),))
    good = world.plan(*names)
    plan = replace(good, changes=tuple(sorted((*good.changes, bad), key=lambda change: change.name)))
    with pytest.raises(SubmittedInPart) as some:
        world.provider.submit(ZONE, plan)
    assert set(some.value.failures) == {"b.vigilon.app"}
    assert not isinstance(some.value.failures["b.vigilon.app"], Transient), "waiting won't help"
    assert all(world.pointer_at(name).points_to(NEW) for name in names)
    while not world.provider.settled(some.value.ticket):
        world.connection.sleep(1)


def test_of_one_change_that_is_refused_the_error_is_its_own(world: World) -> None:
    bad = Change("b.vigilon.app", (), (Record("b.vigilon.app", "A", ("no-address",), 600),))
    with pytest.raises(OrchestratorError) as refused:
        world.provider.submit(ZONE, ZonePlan(ZONE, (bad,)))
    assert not isinstance(refused.value, Transient | SubmittedInPart)
    assert all(problem.fix for problem in refused.value.problems)


def test_an_unknown_provider_lists_the_known_ones() -> None:
    with pytest.raises(Invalid) as refusal:
        dns.connect("bind", connection({}))
    [problem] = refusal.value.problems
    assert problem.code == "dns-provider-unknown"
    assert "porkbun, route53" in problem.fix
