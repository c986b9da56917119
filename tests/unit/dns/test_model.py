"""The plan, as a property over random zones and as a few named cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.dns import model
from orchestrator.dns import names as names_of
from orchestrator.dns.model import Record, ZonePlan
from orchestrator.errors import Refused

ZONE = "vigilon.app"
OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com"
NEW = "onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com"
OURS = model.former_names(NEW)

names = st.sampled_from([ZONE, *(f"{label}.{ZONE}" for label in ("demo", "customer-b", "www", "*"))])
targets = st.sampled_from([OLD, NEW, f"dualstack.{OLD}", "pixie.porkbun.com", "other-1.us-west-2.elb.amazonaws.com"])
ttls = st.sampled_from([60, 300, 600, 86400])


def desired(name: str) -> Record:
    return model.pointer(name, NEW, zone=ZONE, ttl=300, apex="ALIAS", minimum_ttl=1, target_zone="Z1")


@st.composite
def records(draw: st.DrawFn) -> Record:
    kind = draw(st.sampled_from(["CNAME", "ALIAS", "A", "TXT", "MX"]))
    value = draw(targets) if kind in {"CNAME", "ALIAS"} else draw(st.sampled_from(["192.0.2.1", "192.0.2.2"]))
    return Record(draw(names), kind, (value,), draw(ttls))


zones = st.lists(records(), max_size=12, unique_by=lambda record: (record.name, record.type)).map(frozenset)


def applied(zone: frozenset[Record], plan: ZonePlan) -> frozenset[Record]:
    for change in plan.changes:
        assert set(change.before) <= zone
        zone = (zone - set(change.before)) | set(change.after)
    return zone


@given(zones, st.frozensets(names))
def test_a_plan_changes_exactly_the_intended_records_and_twice_is_nothing(
    zone: frozenset[Record], wanted: frozenset[str]
) -> None:
    pointers = [desired(name) for name in wanted]
    plan = model.plan(ZONE, zone, pointers, OURS)
    after = applied(zone, plan)

    in_conflict = {conflict.wanted.name for conflict in plan.conflicts}
    for name in wanted - in_conflict:
        held = {record.name for record in after}
        answers = name if name in held else names_of.covering(name, names_of.with_ancestors(held))
        assert [record for record in after if record.name == answers and record.points_to(NEW)]
    touched = {change.name for change in plan.changes}
    assert touched <= wanted - in_conflict
    assert {record for record in zone if record.name not in touched} == {
        record for record in after if record.name not in touched
    }
    removed = zone - after
    assert all(record.is_pointer and all(OURS(value) for value in record.values) for record in removed)
    again = model.plan(ZONE, after, pointers, OURS)
    assert again.changes == ()
    assert again.conflicts == plan.conflicts


@given(zones, st.lists(names, unique=True))
def test_the_order_of_records_and_names_changes_neither_plan_nor_checksum(
    zone: frozenset[Record], wanted: list[str]
) -> None:
    pointers = [desired(name) for name in wanted]
    one = model.plan(ZONE, sorted(zone, key=str), pointers, OURS)
    other = model.plan(ZONE, sorted(zone, key=str, reverse=True), reversed(pointers), OURS)
    assert one == other
    assert one.checksum == other.checksum


@pytest.mark.parametrize(
    ("value", "ours"),
    [
        (OLD, True),
        (NEW, True),
        (f"dualstack.{OLD}", True),
        (f"{OLD.upper()}.", True),
        ("onyx-prod-alb-1692407724.eu-west-1.elb.amazonaws.com", False),
        ("onyx-prod-alb-2-1692407724.us-west-2.elb.amazonaws.com", False),
        ("onyx-prod-alb.us-west-2.elb.amazonaws.com", False),
        ("xonyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com", False),
        ("onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com.evil.example", False),
        ("onyx-prod-alb-1692407724xus-west-2.elb.amazonaws.com", False),
    ],
)
def test_a_former_name_is_the_same_but_for_its_number(value: str, ours: bool) -> None:
    assert OURS(value) is ours


def test_a_name_without_a_number_recognises_only_itself() -> None:
    ours = model.former_names("lb.example.com")
    assert ours("lb.example.com.")
    assert not ours("lb-1.example.com")


def test_names_are_compared_without_case_and_final_dot() -> None:
    zone = [Record("Demo.Vigilon.App.", "CNAME", (NEW.upper() + ".",), 300)]
    assert model.plan("Vigilon.app.", zone, [desired("demo.vigilon.app")], OURS) == ZonePlan(ZONE)


def test_the_records_own_ttl_is_kept_and_an_alias_has_none_to_keep() -> None:
    old_cname = Record("demo.vigilon.app", "CNAME", (OLD,), 1234)
    [change] = model.plan(ZONE, [old_cname], [desired("demo.vigilon.app")], OURS).changes
    assert [record.ttl for record in change.after] == [1234]
    old_alias = Record("demo.vigilon.app", "A", (OLD,), None, alias_zone="Z1")
    [change] = model.plan(ZONE, [old_alias], [desired("demo.vigilon.app")], OURS).changes
    [after] = change.after
    assert (change.before, after.type, after.ttl, after.values) == ((old_alias,), "A", None, (NEW,)), (
        "it stays an alias"
    )


def alias(kind: str, target: str) -> Record:
    return Record(ZONE, kind, (target,), None, alias_zone="Z1")


APEX = model.pointer(ZONE, NEW, zone=ZONE, ttl=300, apex="A", minimum_ttl=1, target_zone="Z1")


@pytest.mark.parametrize(
    ("present", "before", "after"),
    [
        pytest.param([("A", OLD), ("AAAA", OLD)], "A AAAA", "A AAAA", id="both lead to the former one"),
        pytest.param([("A", NEW), ("AAAA", OLD)], "A AAAA", "A AAAA", id="only one has been led on"),
        pytest.param([("AAAA", OLD)], "AAAA", "A AAAA", id="IPv6 alone led somewhere"),
        pytest.param([("AAAA", NEW)], "", "A", id="IPv6 alone is right"),
        pytest.param([("A", OLD)], "A", "A", id="there never was an alias for IPv6"),
        pytest.param([("A", NEW), ("AAAA", NEW)], None, None, id="both are right"),
    ],
)
def test_an_apex_keeps_its_alias_for_ipv6(present: list[tuple[str, str]], before: str | None, after: str) -> None:
    zone = [alias(kind, f"dualstack.{target}") for kind, target in present]
    plan = model.plan(ZONE, zone, [APEX], OURS)
    assert plan.conflicts == ()
    if before is None:
        assert plan.changes == ()
        return
    [change] = plan.changes
    assert " ".join(record.type for record in change.before) == before
    assert " ".join(record.type for record in change.after) == after
    assert {record.values for record in change.after} == {(NEW,)}
    again = model.plan(ZONE, applied(frozenset(zone), plan), [APEX], OURS)
    assert again.changes == ()


@pytest.mark.parametrize("target", [OLD, NEW])
def test_below_the_apex_too_an_alias_for_ipv6_alone_gets_one_for_ipv4(target: str) -> None:
    name = "demo.vigilon.app"
    zone = frozenset({Record(name, "AAAA", (f"dualstack.{target}",), None, alias_zone="Z1", kept=('{"a": 1}',))})
    plan = model.plan(ZONE, zone, [desired(name)], OURS)
    after = applied(zone, plan)
    assert {(one.type, one.alias_zone, one.kept) for one in after} == {
        ("A", "Z1", ('{"a": 1}',)),
        ("AAAA", "Z1", ('{"a": 1}',)),
    }
    assert all(one.points_to(NEW) for one in after)
    assert model.plan(ZONE, after, [desired(name)], OURS).changes == ()


def test_a_foreign_alias_for_ipv6_is_a_conflict() -> None:
    zone = [alias("A", OLD), alias("AAAA", "d111111abcdef8.cloudfront.net")]
    [conflict] = model.plan(ZONE, zone, [APEX], OURS).conflicts
    assert conflict.present == (zone[1],)


def test_an_alias_that_leads_there_already_is_left_alone() -> None:
    alias = Record("demo.vigilon.app", "A", (f"dualstack.{NEW}",), None, alias_zone="Z1")
    text = Record("demo.vigilon.app", "TXT", ('"beside an alias"',), 300)
    assert model.plan(ZONE, [alias, text], [desired("demo.vigilon.app")], OURS) == ZonePlan(ZONE)


def test_a_right_alias_beside_a_foreign_address_is_not_right() -> None:
    alias = Record("demo.vigilon.app", "A", (NEW,), None, alias_zone="Z1")
    address = Record("demo.vigilon.app", "AAAA", ("2001:db8::1",), 300)
    [conflict] = model.plan(ZONE, [alias, address], [desired("demo.vigilon.app")], OURS).conflicts
    assert conflict.present == (address,)


def test_a_routing_policy_is_nobodys_to_change() -> None:
    weighted = Record("demo.vigilon.app", "CNAME", (OLD,), 60, policy="blue")
    [conflict] = model.plan(ZONE, [weighted], [desired("demo.vigilon.app")], OURS).conflicts
    assert conflict.present == (weighted,)


def test_a_foreign_record_is_refused_by_name() -> None:
    foreign = Record("demo.vigilon.app", "A", ("192.0.2.7",), 300)
    plan = model.plan(ZONE, [foreign], [desired("demo.vigilon.app")], OURS)
    with pytest.raises(Refused, match=r"192\.0\.2\.7") as refusal:
        plan.raise_if_unsafe()
    assert [problem.code for problem in refusal.value.problems] == ["dns-foreign-record"]


def test_the_checksum_tells_plans_apart_but_not_the_providers_handles() -> None:
    one = model.plan(
        ZONE, [Record("demo.vigilon.app", "CNAME", (OLD,), 60, origin=("1",))], [desired("demo.vigilon.app")], OURS
    )
    same = model.plan(
        ZONE, [Record("demo.vigilon.app", "CNAME", (OLD,), 60, origin=("2",))], [desired("demo.vigilon.app")], OURS
    )
    other = model.plan(ZONE, [], [desired("demo.vigilon.app")], OURS)
    assert one.checksum == same.checksum != other.checksum


def test_the_apex_gets_what_the_provider_has_for_it() -> None:
    alias = model.pointer(ZONE, NEW, zone=ZONE, ttl=300, apex="A", minimum_ttl=1, target_zone="Z1")
    assert (alias.type, alias.alias_zone, alias.ttl) == ("A", "Z1", None)
    assert (desired(ZONE).type, desired(ZONE).ttl) == ("ALIAS", 300)
    at_the_apex = [Record(ZONE, "NS", ("ns1.example.com",), 300), Record(ZONE, "MX", ("10 mail.example.com",), 300)]
    [change] = model.plan(ZONE, at_the_apex, [desired(ZONE)], OURS).changes
    assert change.before == ()
