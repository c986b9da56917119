"""`dns-records` as a whole step: real DNS packets, a provider that counts, a stack of the example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.dns.model import Record, ZonePlan
from orchestrator.dns.resolve import AskServers, DnsAnswer
from orchestrator.dns.sending import SubmittedInPart
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict, Wait
from orchestrator.errors import Invalid, OrchestratorError, PartlyFailed, Problem, Refused, Transient
from orchestrator.local.core.cloud import Address, Cloud
from orchestrator.local.faults import catalogue
from orchestrator.stack.contract import Dns
from orchestrator.steps import dns_records
from tests.unit.steps.hosted import NEW, OLD, ZONE, Context, Hosted, settle, stack, verdicts


def test_all_tenants_in_one_batch_then_nothing(context: Context, hosted: Hosted) -> None:
    assert {type(verdict) for verdict in settle(context).values()} == {Done}
    assert [call for call in hosted.asked if call.startswith("submit")] == ["submit 2"]
    assert {record.values for record in hosted.held.values()} == {(NEW,)}
    settle(context)
    assert len([call for call in hosted.asked if call.startswith("submit")]) == 1


def test_an_observation_lists_the_zone_once(context: Context, hosted: Hosted) -> None:
    verdicts(context)
    assert hosted.asked == ["records example.org"]


def test_it_waits_until_the_provider_has_spread_it(context: Context, hosted: Hosted) -> None:
    hosted.spread = False
    assert {type(verdict) for verdict in settle(context).values()} == {Wait}
    hosted.spread = True
    assert {type(verdict) for verdict in verdicts(context).values()} == {Done}


def test_only_the_tenants_asked_for_are_changed(context: Context, hosted: Hosted) -> None:
    todo = verdicts(context)["customer-b"]
    assert isinstance(todo, Todo)
    hash(todo)
    dns_records.STEP.apply(context, {"customer-b": todo})
    assert list(hosted.held) == ["b.example.org"]
    seen = verdicts(context)
    assert isinstance(seen["customer-a"], Todo)
    assert isinstance(seen["customer-b"], Done)


def test_a_foreign_record_blocks_its_tenant_only(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", ("shop.example.com",), 60)
    seen = settle(context)
    assert isinstance(seen["customer-a"], Blocked)
    assert isinstance(seen["customer-b"], Done)
    assert hosted.held["demo.example.org"].values == ("shop.example.com",)


def test_without_dns_in_the_contract_nobody_is_asked(context: Context, hosted: Hosted) -> None:
    context = replace(context, stack=stack(None, **{"customer-a": "demo.example.org"}), providers={})
    seen = verdicts(context)
    assert seen.keys() == {STACK}
    assert hosted.asked == []


OTHER = "shop.example.com"


def blocked(verdict: Verdict) -> str:
    assert isinstance(verdict, Blocked), verdict
    return verdict.problem.code


def rebuilt(context: Context, **changes: Any) -> Context:
    return replace(context, dns_rules=replace(context.dns_rules, **changes))


def test_what_was_there_is_on_the_disk_before_it_goes(context: Context, hosted: Hosted) -> None:
    old = hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 600)
    history = context.dns_rules.history
    submit = hosted.submit
    seen: list[tuple[Record, ...]] = []

    def submitting(zone: str, plan: ZonePlan) -> str:
        seen.extend(entry.change.before for entry in history.entries())
        return submit(zone, plan)

    hosted.submit = submitting  # type: ignore[method-assign]
    settle(context)
    assert sorted(seen) == [(), (old,)]
    assert history.file.stat().st_mode & 0o777 == 0o600


def test_nothing_is_changed_where_it_can_not_be_kept(context: Context, hosted: Hosted) -> None:
    context.dns_rules.history.file.parent.write_text("a file, where the folder should be")
    with pytest.raises(Invalid, match="dns-history-unwritable"):
        settle(context)
    assert hosted.held == {}


def test_a_foreign_record_is_adopted_only_when_told(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OTHER,), 60)
    refusal = verdicts(context)["customer-a"]
    assert blocked(refusal) == "dns-foreign-record"
    assert isinstance(refusal, Blocked)
    assert refusal.refused
    assert "--adopt" in refusal.problem.fix
    settle(rebuilt(context, adopt=True))
    assert hosted.held["demo.example.org"].values == (NEW,)
    assert OTHER in str(context.dns_rules.history.entries()[-1].change)


def test_a_load_balancer_that_is_alive_is_not_taken_from_its_stack(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 60)
    context = replace(context, balancers=frozenset({OLD}))
    assert blocked(settle(context)["customer-a"]) == "dns-load-balancer-alive"
    assert hosted.held["demo.example.org"].values == (OLD,)
    settle(rebuilt(context, adopt=True))
    assert hosted.held["demo.example.org"].values == (NEW,)


def test_a_namesake_in_another_account_is_seen_by_its_addresses(context: Context, hosted: Hosted, cloud: Cloud) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 60)
    cloud.addresses.publish(OLD, Address("127.0.0.7", 443))
    assert blocked(verdicts(context)["customer-a"]) == "dns-load-balancer-alive"
    cloud.addresses.withdraw(OLD)
    assert isinstance(verdicts(context)["customer-a"], Todo)


def test_terraforms_own_record_is_left_to_terraform(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 60)
    managing = rebuilt(context, managed=lambda: frozenset({"demo.example.org"}))
    seen = settle(managing)
    assert blocked(seen["customer-a"]) == "dns-managed-by-terraform"
    assert isinstance(seen["customer-b"], Done)
    assert hosted.held["demo.example.org"].values == (OLD,)
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (NEW,), 60)
    assert isinstance(verdicts(managing)["customer-a"], Done)


def test_only_what_was_shown_is_applied(context: Context, hosted: Hosted) -> None:
    shown = frozenset(v.payload.change for v in verdicts(context).values() if isinstance(v, Todo))
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 60)
    with pytest.raises(Refused, match="dns-plan-changed"):
        settle(rebuilt(context, shown=shown))
    assert list(hosted.held) == ["demo.example.org"]
    del hosted.held["demo.example.org"]
    settle(rebuilt(context, shown=shown))
    assert {record.values for record in hosted.held.values()} == {(NEW,)}


def several(context: Context, hosted: Hosted, **places: Mapping[str, str]) -> Context:
    """A stack of three tenants; `places` are their own `dns`."""
    names = {"a": "demo.example.org", "b": "b.eu.example.org", "c": "c.example.net"}
    made = stack({"provider": "hosted", "zone": ZONE}, **names)
    owned = {
        name: tenant.model_copy(update={"dns": Dns.model_validate(places[name])} if name in places else {})
        for name, tenant in made.tenants.items()
    }
    return replace(context, stack=made.model_copy(update={"tenants": owned}))


def test_a_delegated_name_is_said(context: Context, hosted: Hosted) -> None:
    hosted.held["eu.example.org"] = Record("eu.example.org", "NS", ("ns.elsewhere.example",), 60)
    seen = settle(several(context, hosted))
    assert (type(seen["a"]), blocked(seen["b"]), blocked(seen["c"])) == (
        Done,
        "dns-name-delegated",
        "dns-hostname-outside-zone",
    )
    assert hosted.held.keys() == {"eu.example.org", "demo.example.org"}


def test_the_closest_zone_of_the_provider_is_taken(context: Context, hosted: Hosted) -> None:
    hosted.held["eu.example.org"] = Record("eu.example.org", "NS", ("ns.hosted.example",), 60)
    hosted.zones_held = (ZONE, "eu.example.org", "example.net", "net")
    todos = [verdict for verdict in verdicts(several(context, hosted)).values() if isinstance(verdict, Todo)]
    assert [todo.payload.place.zone for todo in todos] == [ZONE, "eu.example.org", "example.net"]


def test_several_providers_each_with_its_zone(context: Context, hosted: Hosted) -> None:
    other = Hosted(name="other", zones_held=("example.net",))
    own = {"provider": "other", "zone": "example.net"}
    context = replace(several(context, hosted, c=own), providers={"hosted": hosted, "other": other})
    seen = settle(context)
    assert isinstance(seen["a"], Done)
    assert list(other.held) == ["c.example.net"]
    assert {entry.provider for entry in context.dns_rules.history.entries()} == {"hosted", "other"}
    assert {provider for provider, _ticket in context.dns_tickets} == {"hosted", "other"}


def test_a_zone_that_is_not_there_blocks_its_tenants_only(context: Context, hosted: Hosted) -> None:
    other = Hosted(name="other", zones_held=())
    own = {"provider": "other", "zone": "example.net"}
    context = replace(several(context, hosted, c=own), providers={"hosted": hosted, "other": other})
    seen = settle(context)
    assert isinstance(seen["a"], Done)
    assert blocked(seen["c"]) == "dns-zone-not-found"


def test_a_provider_that_fails_stops_no_other(context: Context, hosted: Hosted) -> None:
    other = Hosted(name="other", zones_held=("example.net",))

    def failing(zone: str, plan: ZonePlan) -> str:
        raise Transient(Problem("dns-provider-unavailable", "down"))

    hosted.submit = failing  # type: ignore[method-assign]
    own = {"provider": "other", "zone": "example.net"}
    context = replace(several(context, hosted, c=own), providers={"hosted": hosted, "other": other})
    with pytest.raises(PartlyFailed, match="down") as some:
        settle(context)
    assert list(other.held) == ["c.example.net"]
    assert set(some.value.failures) == {"a", "b"}
    assert all(isinstance(error, Transient) for error in some.value.failures.values()), "they are tried again"


def test_what_a_provider_refuses_of_one_tenant_is_that_tenants(context: Context, hosted: Hosted) -> None:
    taken = hosted.submit

    def refusing(zone: str, plan: ZonePlan) -> str:
        kept = replace(plan, changes=tuple(change for change in plan.changes if change.name != "demo.example.org"))
        refused = OrchestratorError(Problem("dns-record-refused", "no", fix="correct it"))
        raise SubmittedInPart({"demo.example.org": refused}, taken(zone, kept))

    hosted.submit = refusing  # type: ignore[method-assign]
    context = replace(several(context, hosted), dns_tickets=[])
    with pytest.raises(PartlyFailed) as some:
        settle(context)
    assert set(some.value.failures) == {"a"}
    assert list(hosted.held) == ["b.eu.example.org"]
    assert len(context.dns_tickets) == 1, "the others' change is waited for"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Transient(Problem("dns-provider-unavailable", "down")), Wait),
        (OrchestratorError(Problem("access-denied", "no", fix="allow it")), Blocked),
    ],
)
def test_a_zone_that_can_t_be_read_is_a_matter_of_its_tenants(
    context: Context, hosted: Hosted, error: OrchestratorError, kind: type[Verdict]
) -> None:
    other = Hosted(name="other", zones_held=("example.net",))

    def failing(zone: str) -> frozenset[Record]:
        assert zone == "example.net"
        raise error

    other.records = failing  # type: ignore[method-assign]
    own = {"provider": "other", "zone": "example.net"}
    seen = settle(replace(several(context, hosted, c=own), providers={"hosted": hosted, "other": other}))
    assert isinstance(seen["a"], Done)
    assert isinstance(seen["c"], kind)


def test_done_says_when_everyone_sees_it(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 600)
    seen = settle(context)
    done = seen["customer-a"]
    assert isinstance(done, Done)
    assert done.detail.endswith("everyone sees it within 600 s")
    assert "everyone" not in str(seen["customer-b"]), "it was new"
    later = replace(context.dns_rules.history, now=lambda: datetime(2026, 1, 1, 0, 10, tzinfo=UTC))
    assert "everyone" not in str(verdicts(rebuilt(context, history=later))["customer-a"])


@pytest.mark.parametrize("fault", ["dns-servfail", "dns-silent"])
def test_a_name_server_that_fails_is_waited_for(context: Context, hosted: Hosted, cloud: Cloud, fault: str) -> None:
    settle(context)
    impatient = replace(context, resolver=replace(context.resolver, timeout=0.2))
    cloud.faults.switch_on(fault)
    assert {type(verdict) for verdict in verdicts(impatient).values()} == {Wait}
    cloud.faults.switch_off(fault)
    assert {type(verdict) for verdict in verdicts(context).values()} == {Done}


def test_a_truncated_answer_is_asked_for_again_by_tcp(context: Context, hosted: Hosted, cloud: Cloud) -> None:
    cloud.faults.switch_on("dns-truncated")
    assert {type(verdict) for verdict in settle(context).values()} == {Done}


def test_a_stale_secondary_is_seen_and_waited_for(context: Context, hosted: Hosted, cloud: Cloud) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 600)
    stale = catalogue()["dns-stale"]
    stale.inject(cloud, "")
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (NEW,), 600)
    said = [context.resolver.resolve("demo.example.org").chain[0] for _ in range(4)]
    assert set(said) == {OLD, NEW}
    stale.clear(cloud, "")
    assert {context.resolver.resolve("demo.example.org").chain[0] for _ in range(4)} == {NEW}


class Elsewhere(AskServers):
    """The world asks other servers about the zone, which don't know its names."""

    def resolve(self, name: str) -> DnsAnswer:
        return super().resolve(name) if name == NEW else DnsAnswer(name, rcode="NXDOMAIN")

    def name_servers(self, zone: str) -> tuple[str, ...]:
        assert zone == ZONE
        return ("Ada.NS.Cloudflare.com.",)


@pytest.mark.parametrize("own", ["ns-1.awsdns-1.org", "ada.ns.cloudflare.com"])
def test_a_zone_that_nobody_asks_is_said(context: Context, hosted: Hosted, own: str) -> None:
    settle(context)
    hosted.held[ZONE] = Record(ZONE, "NS", (own,), 3600)
    hosted.zone_of = lambda record: ZONE  # type: ignore[method-assign]
    elsewhere = replace(context, resolver=Elsewhere(context.resolver.servers))
    for verdict in verdicts(elsewhere).values():
        assert isinstance(verdict, Wait)
        says_where = verdict.code == "dns-zone-elsewhere" and "ada.ns.cloudflare.com" in verdict.because
        assert says_where is (own == "ns-1.awsdns-1.org")


def test_a_wildcard_that_leads_here_is_enough(context: Context, hosted: Hosted) -> None:
    hosted.held[f"*.{ZONE}"] = Record(f"*.{ZONE}", "CNAME", (NEW,), 60)
    seen = settle(context)
    assert {type(verdict) for verdict in seen.values()} == {Done}
    assert list(hosted.held) == [f"*.{ZONE}"]
