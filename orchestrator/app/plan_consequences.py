"""The consequences of a plan, with the one thing that only AWS knows: what a lost database could be restored from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator import consequences
from orchestrator.app.servers import servers_of
from orchestrator.app.understanding import known
from orchestrator.aws.db_clusters import DbClusters
from orchestrator.aws.rds import Rds
from orchestrator.aws.service_settings import ClusterServices
from orchestrator.aws.session import Aws
from orchestrator.consequences import Consequence, Effect, fingerprint, gate
from orchestrator.consequences.kinds.paused import RunState, of_rest
from orchestrator.consequences.ordering import settled
from orchestrator.errors import OrchestratorError, Refused, counted
from orchestrator.events import Emit, FindingReported
from orchestrator.lifecycle.restore.losses import together
from orchestrator.stack.blueprint.changes import state_before
from orchestrator.stack.blueprint.resources import read
from orchestrator.stack.blueprint.tenancy import Tenancy
from orchestrator.stack.contract import Stack

_SERVERS: Mapping[str, tuple[str, type[Rds] | type[DbClusters]]] = {
    "aws_db_instance": ("identifier", Rds),
    "aws_rds_cluster": ("cluster_identifier", DbClusters),
}
"""Resource type → the attribute with its name, and who knows its snapshots."""


@dataclass(frozen=True, slots=True)
class PlanConsequences:
    """A plan's consequences; `checksum` is of what it does."""

    consequences: tuple[Consequence, ...]
    checksum: str

    def refusal(self, allowed: Collection[str]) -> Refused | None:
        """Why it may not be applied, unless what it destroys is named."""
        return gate(self.consequences, allowed, self.checksum)

    def beside(self, ours: Collection[Consequence], plan: Mapping[str, Any]) -> PlanConsequences:
        """With what this program does beside the plan; its checksum stands for both."""
        both = together(self.consequences, ours)
        return PlanConsequences(both, fingerprint(plan, both))


def consequences_of(
    plan: Mapping[str, Any], connect: Callable[[str], Aws], now: datetime, table: Mapping[str, Any] | None = None
) -> PlanConsequences:
    """From a plan's JSON; `connect(region)` is called only when a database is about to be lost.

    `table` is `[contract]` of orchestrate.toml: with the state it names tenants where no output does.
    """
    contract = known(state_before(plan), table or {})
    found = consequences.of_plan(plan, contract)
    if any(one.code == "database-lost" for one in found):
        found = consequences.of_plan(plan, contract, list(_snapshots(plan, found, connect, now)))
    return PlanConsequences(found, fingerprint(plan, found))


def _snapshots(
    plan: Mapping[str, Any], found: Collection[Consequence], connect: Callable[[str], Aws], now: datetime
) -> Iterator[str]:
    lost = {one.address for one in found if one.code == "database-lost"}
    for server in read(state_before(plan)).of(*_SERVERS):
        arn = server.text("arn").split(":")
        if server.address in lost and len(arn) > 3:
            named, servers = _SERVERS[server.type]
            name = server.text(named)
            try:
                newest = servers(connect(arn[3]).client("rds")).newest_snapshot(name)
            except OrchestratorError as error:
                yield f"could not look up whether {name} has a snapshot ({error.problems[0].code})"
                continue
            if newest is None:
                yield f"there is no snapshot of {name}"
            else:
                ago = f"{counted(round((now - newest.taken).total_seconds() / 3600), 'hour')} ago"
                yield f"the latest snapshot is {newest.name}, from {newest.taken:%Y-%m-%d %H:%M} UTC ({ago})"


def no_consequences(stack: Stack, aws: Aws) -> PlanConsequences:
    """Of a plan without changes: whether the stack is paused, seen live by two calls (not seen: nothing is said)."""
    names = [one.name for one in stack.services.values()]
    try:
        services = ClusterServices(aws.client("ecs"), stack.cluster).settings(names)
        server = servers_of(stack.database, aws).server(stack.database.server)
    except OrchestratorError:  # the steps look again, with patience, and say what is wrong
        return PlanConsequences((), "")
    rest = RunState({name: one.desired for name, one in services.items()}, {server.instance: server.status})
    return PlanConsequences(settled(of_rest(rest, stack.stack), Tenancy()), "")


def tell(plan_consequences: PlanConsequences, emit: Emit) -> None:
    """Each consequence as an event, the worst first."""
    for one in plan_consequences.consequences:
        gated = one.effect in (Effect.LOSS, Effect.OUTAGE)
        emit(
            FindingReported(
                step="consequences",
                subject=one.subject,
                detail=one.says,
                code=one.code,
                fix=one.then,
                severity=one.severity.value,
                check="consequences",
                cause=one.why,
                evidence=(one.address,) if one.address else (),
                effect=one.effect.value,
                loss=one.name if gated else "",
                address=one.address,
            )
        )
