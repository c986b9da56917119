"""One table of what a zone may hold at a tenant's name, and what becomes of it: at every provider.

Whatever else is in the zone stays, and of what is led on, everything but the target.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.dns.model import Record
from orchestrator.errors import OrchestratorError, Refused
from tests.conformance.dns.worlds import LB_ZONE, NEW, OLD, ZONE, Seen, World

NAME = f"demo.{ZONE}"
THEIRS = "shop.example.com"
EVERYWHERE = ("route53", "porkbun", "lexicon", "cloudflare")
AT_PORKBUN = ("porkbun", "lexicon")


def alias(kind: str, target: str, name: str = NAME) -> Record:
    kept = ('{"AliasTarget": {"EvaluateTargetHealth": true}}',)
    return Record(name, kind, (target,), None, alias_zone=LB_ZONE, kept=kept)


def weighted(identifier: str, target: str) -> Record:
    return Record(NAME, "CNAME", (target,), 60, policy=identifier)


BESIDE = (
    Record(NAME, "TXT", ('"v=spf1 -all"',), 600),
    Record(NAME, "CAA", ('0 issue "amazon.com"',), 600),
    Record(f"mail.{ZONE}", "TXT", ('"of the shop"',), 600),
)


@dataclass(frozen=True)
class Situation:
    """`outcome`: `led on`, `created`, `nothing`, or `refused` with `says` in its words. `at`: where it can be."""

    name: str
    held: tuple[Record, ...]
    outcome: str
    says: str = ""
    at: tuple[str, ...] = EVERYWHERE
    hostname: str = NAME
    carries: bool = False


SITUATIONS = [
    Situation("a CNAME that carries more", (Record(NAME, "CNAME", (OLD,), 1234),), "led on", carries=True),
    Situation("capitals and a last dot", (Record(NAME.upper(), "CNAME", (f"{OLD.upper()}.",), 900),), "led on"),
    Situation("asked for in capitals", (Record(NAME, "CNAME", (OLD,), 900),), "led on", hostname=f"{NAME.upper()}."),
    Situation(
        "aliases for both kinds of address, and texts beside them",
        (alias("A", f"dualstack.{OLD}"), alias("AAAA", f"dualstack.{OLD}"), *BESIDE),
        "led on",
        at=("route53",),
    ),
    Situation("an ALIAS and a text beside it", (Record(NAME, "ALIAS", (OLD,), 600), *BESIDE), "led on", at=AT_PORKBUN),
    Situation(
        "a CNAME and a text beside it", (Record(NAME, "CNAME", (OLD,), 600), *BESIDE), "led on", at=("cloudflare",)
    ),
    Situation(
        "the apex with both kinds of address",
        (alias("A", OLD, ZONE), alias("AAAA", OLD, ZONE), Record(ZONE, "MX", ("10 mail.example.com",), 900)),
        "led on",
        at=("route53",),
        hostname=ZONE,
    ),
    Situation(
        "one kind of address leads there already",
        (alias("A", NEW), alias("AAAA", OLD), *BESIDE),
        "led on",
        at=("route53",),
    ),
    Situation(
        "somebody else's AAAA",
        (alias("A", OLD), alias("AAAA", "d111111abcdef8.cloudfront.net"), *BESIDE),
        "refused",
        "AAAA d111111abcdef8.cloudfront.net",
        at=("route53",),
    ),
    Situation("somebody else's CNAME", (Record(NAME, "CNAME", (THEIRS,), 600),), "refused", THEIRS, carries=True),
    Situation("addresses", (Record(NAME, "A", ("192.0.2.1", "192.0.2.2"), 600),), "refused", "192.0.2.2"),
    Situation("a text where a CNAME would be", BESIDE, "refused", "no CNAME may exist next to it"),
    Situation("a name given away", (Record(NAME, "NS", ("ns1.example.net",), 600),), "refused", "NS ns1.example.net"),
    Situation("weights", (weighted("blue", OLD), weighted("green", OLD)), "refused", "weighted 'blue'", ("route53",)),
    Situation(
        "a weight that is the stack's, and one that isn't",
        (weighted("blue", NEW), weighted("green", THEIRS)),
        "nothing",
        at=("route53",),
    ),
    Situation(
        "a weight that is out of date",
        (weighted("blue", OLD), weighted("green", THEIRS)),
        "refused",
        "routing policy",
        at=("route53",),
    ),
    Situation("it leads there already", (Record(NAME, "CNAME", (NEW,), 900),), "nothing", carries=True),
    Situation("nothing", (), "created"),
    Situation("a wildcard that leads there", (Record(f"*.{ZONE}", "CNAME", (NEW,), 900),), "nothing"),
    Situation("a wildcard that leads elsewhere", (Record(f"*.{ZONE}", "CNAME", (THEIRS,), 900),), "created"),
    Situation("a wildcard that leads to the old one", (Record(f"*.{ZONE}", "CNAME", (OLD,), 900),), "created"),
    Situation(
        "a wildcard that doesn't cover it: there is a name below",
        (Record(f"*.{ZONE}", "CNAME", (NEW,), 900), Record(f"_x.{NAME}", "TXT", ('"token"',), 600)),
        "created",
    ),
]
CASES = [pytest.param(one, where, id=f"{one.name}-{where}") for one in SITUATIONS for where in one.at]


@pytest.fixture
def at(request: pytest.FixtureRequest) -> Callable[[str], World]:
    def world_of(name: str) -> World:
        world: World = request.getfixturevalue(name)
        return world

    return world_of


def led_on(zone: Iterable[Seen], name: str) -> list[Seen]:
    """The same zone with nothing changed but the name's targets."""
    return sorted(
        one._replace(value=NEW) if one.name == name and one.value.lower().rstrip(".").endswith(OLD) else one
        for one in zone
    )


def as_compared(zone: Iterable[Seen]) -> list[Seen]:
    return sorted(one._replace(value=one.value.rstrip(".").removeprefix("dualstack.")) for one in zone)


@pytest.mark.parametrize(("situation", "where"), CASES)
def test_a_situation(situation: Situation, where: str, at: Callable[[str], World]) -> None:
    world = at(where)
    world.clear()
    for one in situation.held:
        world.add(replace(one, kept=(world.carries,)) if situation.carries else one)
    before = world.zone()
    sent = world.writes()
    plan = world.plan(situation.hostname)
    if situation.outcome == "refused":
        with pytest.raises(Refused, match=situation.says) as refused:
            world.provider.submit(ZONE, plan)
        assert all(problem.fix and "NoneType" not in problem.fix for problem in refused.value.problems)
    else:
        world.provider.submit(ZONE, plan)
    after = world.zone()
    match situation.outcome:
        case "led on":
            assert as_compared(after) == as_compared(led_on(before, situation.hostname.lower().rstrip(".")))
        case "created":
            [made] = [one for one in after if one not in before]
            assert (made.name, made.type, made.value.rstrip(".")) == (NAME, "CNAME", NEW)
            assert [one for one in after if one != made] == before
        case _:
            assert (after, world.writes()) == (before, sent)
    assert world.plan(situation.hostname).changes == ()


LABELS = ("demo", "b", "*", "_x.demo", "www")
values = {
    "CNAME": st.sampled_from([OLD, NEW, THEIRS, OLD.upper()]),
    "ALIAS": st.sampled_from([OLD, NEW, THEIRS]),
    "A": st.sampled_from(["192.0.2.1", "192.0.2.2"]),
    "AAAA": st.sampled_from(["2001:db8::1"]),
    "TXT": st.sampled_from(['"one"', '"v=spf1 -all"']),
    "MX": st.sampled_from(["10 mail.example.com"]),
}


@st.composite
def records(draw: st.DrawFn) -> tuple[Record, bool]:
    kind = draw(st.sampled_from([*values, "alias A", "alias AAAA", "weighted"]))
    name = draw(st.sampled_from([ZONE, *(f"{label}.{ZONE}" for label in LABELS)]))
    carries = draw(st.booleans())
    if kind.startswith("alias"):
        return alias(kind.removeprefix("alias "), draw(values["ALIAS"]), name), False
    if kind == "weighted":
        return replace(weighted(draw(st.sampled_from(["blue", "green"])), draw(values["CNAME"])), name=name), False
    return Record(name, kind, (draw(values[kind]),), draw(st.sampled_from([600, 1234, 86400]))), carries


@pytest.mark.parametrize("where", EVERYWHERE)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=st.lists(records(), max_size=10), hostnames=st.sets(st.sampled_from([ZONE, NAME, f"b.{ZONE}"]), min_size=1))
def test_whatever_is_in_the_zone_only_what_was_meant_has_changed(
    where: str, at: Callable[[str], World], held: list[tuple[Record, bool]], hostnames: set[str]
) -> None:
    world = at(where)
    world.clear()
    for record, carries in held:
        with_more = replace(record, kept=(world.carries,)) if carries and record.type == "CNAME" else record
        world.try_to_add(with_more)
    before = world.zone()
    plan = world.plan(*sorted(hostnames))
    refused = {conflict.wanted.name for conflict in plan.conflicts}
    safe = replace(plan, conflicts=())
    world.provider.submit(ZONE, safe)
    after = world.zone()

    def same_target(zone: Iterable[Seen]) -> set[Seen]:
        meant = hostnames - refused
        return {
            one._replace(value="the load balancer")
            if one.name in meant and one.value.lower().rstrip(".") in (OLD, NEW)
            else one
            for one in zone
        }

    assert same_target(before) <= same_target(after), "something was lost"
    made = same_target(after) - same_target(before)
    assert {one.name for one in made} <= hostnames - refused
    assert {one.value for one in made} <= {"the load balancer"}
    assert world.plan(*sorted(hostnames)).changes == ()


def test_a_provider_that_keeps_less_than_it_promises_is_found_out(cloudflare: World, behind: object) -> None:
    """It is said once, at the change; the value is right, and what was lost is named."""
    cloudflare.write(Record(NAME, "CNAME", (OLD,), 600, kept=('{"comment": "of the shop"}',)))
    behind.forgets = frozenset({"comment"})  # type: ignore[attr-defined]
    with pytest.raises(OrchestratorError, match="comment of CNAME was 'of the shop'") as lost:
        cloudflare.provider.submit(ZONE, cloudflare.plan(NAME))
    assert [problem.code for problem in lost.value.problems] == ["dns-record-altered"]
    assert cloudflare.pointer_at(NAME).points_to(NEW)
