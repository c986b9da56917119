"""`sites` as a whole step: real DNS packets, visits that are counted, a stack of the example."""

from __future__ import annotations

from orchestrator.dns.model import Record
from orchestrator.engine.step import Blocked, Done, Wait
from orchestrator.steps import sites
from tests.unit.steps.hosted import NEW, OLD, Context, Hosted, settle


def test_a_site_is_visited_at_its_address_only_when_its_name_leads_here(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "CNAME", (OLD,), 600)
    hosted.held["b.example.org"] = Record("b.example.org", "CNAME", (NEW,), 600)
    seen = sites.STEP.decide(sites.STEP.observe(context))
    assert context.visits == [("b.example.org", "127.0.0.9")]
    stale = seen["customer-a"]
    assert isinstance(stale, Wait)
    assert (stale.code, OLD in stale.because) == ("site-name-stale", True)
    assert isinstance(seen["customer-b"], Done)


def test_another_server_that_is_alive_is_not_visited(context: Context, hosted: Hosted) -> None:
    hosted.held["demo.example.org"] = Record("demo.example.org", "A", ("127.0.0.8",), 600)
    seen = sites.STEP.decide(sites.STEP.observe(context))
    assert context.visits == []
    stale = seen["customer-a"]
    assert isinstance(stale, Wait)
    assert (stale.code, "127.0.0.8" in stale.because) == ("site-name-stale", True)


def test_after_the_records_the_sites_answer(context: Context, hosted: Hosted) -> None:
    settle(context)
    context.statuses["b.example.org"] = 503
    seen = sites.STEP.decide(sites.STEP.observe(context))
    assert isinstance(seen["customer-a"], Done)
    assert isinstance(seen["customer-b"], Wait)


def test_an_internal_load_balancer_is_visited_from_the_runner(context: Context) -> None:
    """It has private addresses only: from here nobody can tell whether it answers."""
    settle(context)
    context.internal = True
    seen = sites.STEP.decide(sites.STEP.observe(context))
    assert context.commands == ["i-0123456789abcdef0: orchestrate: visit internal sites"]
    for verdict in seen.values():
        assert isinstance(verdict, Done)
        assert "seen from i-0123456789abcdef0" in verdict.detail
    context.needs_runner = False
    sites.STEP.observe(context)
    assert len(context.commands) == 1, "without a runner it is tried from here: a VPN may lead there"


def test_a_tenant_that_cant_be_looked_at_is_no_other_tenants_matter(context: Context) -> None:
    settle(context)
    context.unreadable = "customer-a-prod-service"
    seen = sites.STEP.decide(sites.STEP.observe(context))
    assert isinstance(seen["customer-a"], Blocked)
    assert seen["customer-a"].problem.code == "access-denied"
    assert isinstance(seen["customer-b"], Done)
