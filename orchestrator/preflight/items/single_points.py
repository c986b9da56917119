"""Single points of failure for all sites: for information only, since a second one costs money."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.facts import number
from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed, unknown
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import says
from orchestrator.stack.blueprint.resources import UNKNOWN


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Database without standby, Redis with one node, one NAT gateway for several zones."""
    found = [*_servers(evidence), *_redis(evidence), *_gateways(evidence)]
    yield from found or [passed("everything that all sites share is redundant")]


def _servers(evidence: Evidence) -> Iterator[Remark]:
    for one in evidence.blueprint.of_type("aws_db_instance"):
        standby = one.get("multi_az")
        if standby is UNKNOWN and says(evidence.blueprint, one, "multi_az"):
            yield unknown("whether it has a standby is not known until applied", address=one.address)
        elif standby is not True:  # AWS's default too
            yield _remark(one.address, "the database server has no standby", "multi_az = false", "multi_az = true")


def _redis(evidence: Evidence) -> Iterator[Remark]:
    for one in evidence.blueprint.of_type("aws_elasticache_replication_group"):
        if number(one.get("num_cache_clusters")) == 1 and not one.get("automatic_failover_enabled"):
            hcl = "num_cache_clusters         = 2\nautomatic_failover_enabled = true"
            yield _remark(one.address, "Redis has one node", "num_cache_clusters = 1", hcl)


def _gateways(evidence: Evidence) -> Iterator[Remark]:
    gateways = list(evidence.blueprint.of_type("aws_nat_gateway"))
    if len(gateways) == 1:
        hcl = "count = 2 # one in each zone, and a route table for each"
        yield _remark(gateways[0].address, "one NAT gateway serves every zone", "1 aws_nat_gateway", hcl)


def _remark(address: str, why: str, current: str, hcl: str) -> Remark:
    return Remark(
        status=Status.FAILED,
        code="single-point",
        severity=Severity.INFO,
        says="if this one fails, every site is down until it is back",
        why=why,
        address=address,
        current=current,
        wanted="two of them, in two zones (if an hour of outage costs more)",
        hcl=hcl,
    )


ITEM = Item(
    id="single-points",
    title="What all sites share is redundant",
    occasion=Checklist.DEPLOY,
    judge=judge,
)
