"""Pausing and resuming: an operation with other steps, and with what these need beside the workflow's context."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from orchestrator import steps
from orchestrator.app.context import Context
from orchestrator.app.operation import Operation, Selection
from orchestrator.app.servers import servers_of
from orchestrator.aws.autoscaling import Autoscaling
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.ec2 import Ec2
from orchestrator.aws.elasticache import ElastiCache
from orchestrator.aws.inventory import Inventory
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.session import Aws
from orchestrator.engine import runner
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.runner import Around, Report
from orchestrator.engine.step import Subject, Verdict, tenant_of
from orchestrator.events import Emit
from orchestrator.lifecycle import pause, resume
from orchestrator.lifecycle.instance_owners import owners
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.lifecycle.pause.costs import NO_STORAGE, Estimate, StackSizes, estimate
from orchestrator.lifecycle.pause.state import PauseState
from orchestrator.lifecycle.pause_tags import Stamp
from orchestrator.lifecycle.resume.instances_started import CapacityRefusal
from orchestrator.stack.contract import Stack


@dataclass(frozen=True, kw_only=True)
class PauseContext(Context):
    """What the steps of pause and resume see beside the workflow's. `refusals` and `starts` are the run's memory."""

    counts: ServiceCounts
    autoscaling: Autoscaling
    stamp: Stamp
    refusals: dict[str, CapacityRefusal] = field(default_factory=dict)
    starts: dict[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _PauseReading:
    """What pause's steps need to look at a stack."""

    stack: Stack
    rds: DbServers
    ec2: Ec2
    counts: ServiceCounts
    autoscaling: Autoscaling
    stamp: Stamp
    other_users: OtherUsers


class Pausing(Operation):
    """One command's pausing of a stack, or of some tenants' services. `who` are the user and the host that do it."""

    def __init__(self, *given: Any, who: tuple[str, str], kept: bool = False, **more: Any) -> None:
        self._who = who
        self._kept = kept
        super().__init__(*given, **more)

    def _available(self, selection: Selection) -> tuple[AnyStep, ...]:
        return pause.steps(whole=not selection.tenants, kept=self._kept)

    def _widened(self, context: Context) -> PauseContext:
        return _widened(context, self.aws, Stamp.of(context.started, *self._who))

    def verify(self) -> None:
        """Only the account: nothing is reached but AWS."""
        self.aws.require_account(self.stack.account_id)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Who else uses it is looked at again: the preview may be old."""
        self._context.other_users.forget()
        return super().run(emit, around)

    def preview(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """What the steps would do, one after the other; changes nothing."""
        return runner.survey(pause.preview(self._steps), self._context, subjects=self._subjects)

    def estimate(self) -> Estimate:
        """What the stack costs a month, running and paused."""
        return estimate(_holdings(self.stack, self.aws, self._subjects))


class Resuming(Operation):
    """One command's resuming: the workflow, with what was paused started in it."""

    def __init__(self, *given: Any, who: tuple[str, str], **more: Any) -> None:
        self._who = who
        super().__init__(*given, **more)

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        return resume.steps(steps.discover())

    def _widened(self, context: Context) -> PauseContext:
        return _widened(context, self.aws, Stamp.of(context.started, *self._who))


def _widened(context: Context, aws: Aws, stamp: Stamp) -> PauseContext:
    known = {one.name: getattr(context, one.name) for one in fields(context)}
    cluster = context.stack.cluster
    return PauseContext(
        **known,
        counts=ServiceCounts(aws.client("ecs"), cluster),
        autoscaling=Autoscaling(aws.client("application-autoscaling"), cluster),
        stamp=stamp,
    )


def pause_state_of(stack: Stack, aws: Aws) -> PauseState:
    """Whether the stack, or which of its tenants, are paused: two calls for ten tenants."""
    counts = ServiceCounts(aws.client("ecs"), stack.cluster, aws.recent("ecs"))
    seen = counts.read([one.name for one in stack.services.values()])
    by_subject = {name: seen[one.name] for name, one in stack.services.items() if one.name in seen}
    return PauseState(servers_of(stack.database, aws).server(stack.database.server), by_subject)


def paused_survey(operation: Operation, pause_state: PauseState) -> Mapping[str, Mapping[Subject, Verdict]]:
    """What `status` shows: whether what a pause stopped still is stopped; of tenants that are not paused, the usual."""
    stack, aws, whole = operation.stack, operation.aws, pause_state.whole is not None
    context = _PauseReading(
        stack,
        servers_of(stack.database, aws),
        Ec2(aws.client("ec2")),
        ServiceCounts(aws.client("ecs"), stack.cluster),
        Autoscaling(aws.client("application-autoscaling"), stack.cluster),
        Stamp.of(operation.clock.now(), "", ""),
        operation.context.other_users,
    )
    held = runner.survey(pause.steps(whole=whole), context, subjects=None if whole else pause_state.tenants)
    if whole:
        return held
    usual = operation.survey()
    others = {
        step: {who: it for who, it in seen.items() if tenant_of(who) not in pause_state.tenants}
        for step, seen in usual.items()
    }
    return {**others, **held}


def _holdings(stack: Stack, aws: Aws, subjects: Collection[Subject] | None) -> StackSizes:
    """Read anew: about ten calls."""
    seen, inventory = pause_state_of(stack, aws), Inventory(aws.client)
    ids = sorted({one for owned in owners(stack).values() for one in owned})
    sizes = {
        tenant: (seen.wanted(tenant), inventory.task(count.task_definition)) for tenant, count in seen.counts.items()
    }
    redis = ElastiCache(aws.client("elasticache")).group(stack.redis.replication_group) if stack.redis else None
    return StackSizes(
        region=stack.region,
        tasks=tuple(sizes.values()),
        staying=tuple(
            size for tenant, size in sizes.items() if subjects is not None and tenant_of(tenant) not in subjects
        ),
        whole=subjects is None,
        database=f"Aurora {seen.server.size}" if stack.database.cluster else seen.server.size,
        storage=inventory.storage(stack.database.instance) if stack.database.instance else NO_STORAGE,
        multi_az=seen.server.multi_az,
        stoppable=not seen.server.unstoppable,
        instances=inventory.instances(ids),
        volumes=inventory.volumes(ids),
        cache_nodes=inventory.cache_nodes(redis.members) if redis else (),
        load_balancers=len(stack.balancers),
        nat_gateways=inventory.nat_gateways(seen.server.vpc),
        public_addresses=inventory.public_addresses(seen.server.vpc),
    )
