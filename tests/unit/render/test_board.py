"""The table of `status`: rows from what steps saw."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.aws.ecs import Service
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.aws.rds import ServerState
from orchestrator.dns.resolve import DnsAnswer
from orchestrator.engine.runner import Observation
from orchestrator.engine.step import STACK, Blocked, Done, Todo, Verdict, Wait
from orchestrator.errors import Problem
from orchestrator.events import PartObserved
from orchestrator.index.report import IndexReport
from orchestrator.probe import Probe, Reached
from orchestrator.render import board
from orchestrator.rollout.progress import Rollout
from orchestrator.stack import contract
from orchestrator.steps import database_server, index_containers, redeploy, sites
from tests.unit.rollout.test_tail import NOW
from tests.unit.stack.test_contract import good

ONE = contract.parse(good(), "test")
BALANCER = ONE.load_balancer.dns_name
TARGET = DnsAnswer(BALANCER, (), ("192.0.2.1",))
HERE = DnsAnswer("a.vigilon.app", (BALANCER,), ("192.0.2.1",))


def rows(balancer: str | None = "active", **sights: Observation) -> dict[str, PartObserved]:
    named = {step.replace("_", "-"): sight for step, sight in sights.items()}
    return {part.subject or part.part: part for part in board.rows(ONE, named, {BALANCER: balancer}, ["a"])}


def database(verdict: Verdict) -> Observation:
    return Observation(database_server.DatabaseServerFacts(ServerState("db", "x"), "h"), {STACK: verdict})


def visited(answer: DnsAnswer, probe: Probe | None = None) -> Observation:
    return Observation(sites.SitesFacts(TARGET, {"a": answer}, {"a": probe} if probe else {}), {"a": Wait("not yet")})


def rollout(running: int, **states: int) -> Observation:
    service = Service("a-service", "ACTIVE", 2, running, 0, ())
    return Observation(
        redeploy.RedeployFacts({"a": Rollout(service, TargetHealth(states))}, {}), {"a": Done("no redeploy needed")}
    )


def vespa(inside: IndexReport | None, verdict: Verdict, **more: Any) -> Observation:
    seen = {} if more else {"a": inside}
    return Observation(index_containers.IndexContainersFacts({"a": "i-0a"}, NOW, seen, **more), {"a": verdict})


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Done("db is available"), board.UP),
        (Wait("db is creating"), board.PENDING),
        (Blocked(Problem("x", "db is stopped")), board.FAILED),
    ],
)
def test_a_shared_part_is_what_its_step_says(verdict: Verdict, state: str) -> None:
    part = rows(database_server=database(verdict))["database"]
    assert (part.state, part.detail) == (state, board.words(verdict))


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("active", board.UP),
        ("provisioning", board.PENDING),
        ("failed", board.FAILED),
        ("", board.FAILED),
        (None, board.UNKNOWN),
    ],
)
def test_the_load_balancer(said: str | None, state: str) -> None:
    assert rows(said)["load-balancer"].state == state


def test_what_could_not_be_looked_at_is_not_known() -> None:
    blind = Observation(None, {STACK: Wait("throttled")})
    assert rows(database_server=blind)["database"].state == board.UNKNOWN
    assert rows(tenant_databases=blind)["a"].state == board.PENDING
    assert rows()["a"].state == rows()["database"].state == board.UNKNOWN


def test_counts_of_tasks_and_targets() -> None:
    fresh = Observation(
        redeploy.RedeployFacts({"a": Rollout(Service("a-service", "ACTIVE", 2, 1, 1, ()))}, {}), {"a": Wait("1/2")}
    )
    part = rows(redeploy=rollout(2, healthy=2, draining=1), services=fresh)["a"]
    assert (part.running, part.desired) == (1, 2), "services is watched: its counts are the newer ones"
    assert (part.healthy, part.targets) == (2, 3)
    assert (
        rows(redeploy=Observation(redeploy.RedeployFacts({"a": Rollout(None)}, {}), {"a": Done("")}))["a"].desired == 0
    )


@pytest.mark.parametrize(
    ("answer", "probe", "dns", "site"),
    [
        (HERE, Probe("192.0.2.1", Reached.ANSWERED, 503), "ok", "503"),
        (HERE, Probe("192.0.2.1", Reached.TLS_INVALID), "ok", "tls-invalid"),
        (HERE, Probe("192.0.2.1", Reached.UNREACHABLE), "ok", "unreachable"),
        (DnsAnswer("a.vigilon.app", ("old.elb.amazonaws.com",), ("192.0.2.9",)), None, "stale", ""),
        (DnsAnswer("a.vigilon.app", rcode="NXDOMAIN"), None, "missing", ""),
        (DnsAnswer("a.vigilon.app", rcode="TIMEOUT"), None, "unknown", ""),
    ],
)
def test_the_way_of_a_visitor(answer: DnsAnswer, probe: Probe | None, dns: str, site: str) -> None:
    part = rows(sites=visited(answer, probe))["a"]
    assert (part.dns, part.site) == (dns, site)


@pytest.mark.parametrize(
    ("sight", "word", "state"),
    [
        (vespa(IndexReport(), Done("")), "up", board.UP),
        (vespa(IndexReport(healthy=False), Wait("")), "starting", board.PENDING),
        (vespa(IndexReport(state="exited", healthy=False), Todo("start")), "exited", board.PENDING),
        (vespa(IndexReport(dockerd=False, state="absent"), Todo("start")), "no docker", board.PENDING),
        (vespa(IndexReport(dockerd=False, state="absent", booting=True), Wait("")), "booting", board.PENDING),
        (vespa(None, Blocked(Problem("x", "stopped")), states={"a": "stopped"}), "stopped", board.FAILED),
        (vespa(None, Blocked(Problem("vespa-unclear", "?"))), "unknown", board.UP),
    ],
)
def test_vespa_from_inside(sight: Observation, word: str, state: str) -> None:
    part = rows(vespa_containers=sight, tenant_databases=Observation(object(), {"a": Done("there")}))["a"]
    assert (part.vespa, part.state) == (word, state)


def test_where_commands_may_not_be_sent_a_tenant_is_up_all_the_same() -> None:
    denied = Observation(None, {STACK: Blocked(Problem("denied", "not authorized"))})
    part = rows(vespa_containers=denied, tenant_databases=Observation(object(), {"a": Done("there")}))["a"]
    assert (part.vespa, part.state) == ("", board.UP)


def test_the_worst_verdict_is_told() -> None:
    lost = Observation(None, {STACK: Blocked(Problem("x", "no cluster"))})
    part = rows(dns_records=Observation(object(), {"a": Todo("point it here")}), services=lost)["a"]
    assert (part.state, part.detail) == (board.FAILED, "services: no cluster")
    assert not board.is_up([part])


def test_a_tenant_is_up_when_all_of_its_services_are() -> None:
    said = good()
    said["tenants"]["a"]["workers"] = {"background": {"service": "a-background"}}
    stack = contract.parse(said, "test")
    front, behind = (
        Service(name, "ACTIVE", 1, number, 0, ()) for name, number in (("a-service", 1), ("a-background", 0))
    )
    seen = {"a": Rollout(front, TargetHealth({"healthy": 1})), "a/background": Rollout(behind)}
    verdicts: dict[str, Verdict] = {"a": Done("1/1 running"), "a/background": Wait("0/1 running")}
    sight = Observation(redeploy.RedeployFacts(seen, {}), verdicts)
    (row,) = [one for one in board.rows(stack, {"services": sight}, {}, ["a"]) if one.part == "tenant"]
    assert (row.state, row.detail) == (board.PENDING, "services of background: 0/1 running")
    assert (row.running, row.desired, row.healthy, row.targets) == (1, 2, 1, 1)
