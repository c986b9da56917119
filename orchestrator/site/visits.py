"""What visitors of the tenants' names meet, and what is behind it: one look, one judgement, for step and doctor."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from orchestrator import inside
from orchestrator.aws.ecs import Service, Task
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.aws.listeners import Routing
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.step import Subject, Unread
from orchestrator.engine.subjects import Attempts, attempt
from orchestrator.errors import Problem
from orchestrator.inside import Visit
from orchestrator.inside.shell import Shell
from orchestrator.probe import Probe, Reached
from orchestrator.site import answers, tenancy
from orchestrator.site.tenancy import SiteBackend, SiteOwners
from orchestrator.stack.contract import Stack

AT_ONCE = 16
PASSING = frozenset({"target-foreign"})
"""What a task leaves behind that was replaced a moment ago."""


class Visitor(Protocol):
    """Who asks as a visitor does."""

    def __call__(self, hostname: str, address: str, path: str) -> Probe:
        """One request for the hostname's path to this address."""
        ...


class ReadsRunningTasks(Protocol):
    """Services and tasks."""

    def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        """Those that exist."""
        ...

    def running(self, services: Sequence[str]) -> Attempts[tuple[Task, ...]]:
        """The tasks that each wants to run."""
        ...


class ReadsTargetHealth(Protocol):
    """Target groups."""

    def health(self, target_group_arn: str) -> TargetHealth:
        """The group's targets now."""
        ...


class Definitions(Protocol):
    """Task definitions."""

    def definition(self, arn: str) -> TaskDefinition:
        """One of them; it never changes."""
        ...


class VisitsContext(Protocol):
    """What the look needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def probe(self) -> Visitor:
        """Who asks as a visitor does."""
        ...

    @property
    def ecs(self) -> ReadsRunningTasks:
        """Where services and tasks are read."""
        ...

    @property
    def targets(self) -> ReadsTargetHealth:
        """Where target groups are read."""
        ...

    @property
    def definitions(self) -> Definitions:
        """Where task definitions are read."""
        ...

    @property
    def ssm(self) -> Shell:
        """Who runs commands on the runner."""
        ...

    @property
    def needs_runner(self) -> bool:
        """False when nothing goes through the runner."""
        ...

    @property
    def close_looks(self) -> CloseLooks:
        """Whose targets and task definitions are asked for although the site answers as it shall."""
        ...


@dataclass(frozen=True, slots=True)
class Visits:
    """By tenant: what each address of its name answers, and what is behind the name.

    `unread`: tenants whose way could not be looked at: that it leads to them was not seen.
    """

    probes: Mapping[Subject, tuple[Probe, ...]] = field(default_factory=dict)
    insides: Mapping[Subject, SiteBackend] = field(default_factory=dict)
    unread: Mapping[Subject, Unread] = field(default_factory=dict)


def look(
    context: VisitsContext, addresses: Mapping[Subject, Sequence[str]], routings: Mapping[Subject, Routing]
) -> Visits:
    """Of the tenants whose names lead to their load balancers: the addresses of these names, the ways in."""
    expected = {tenant: context.stack.healthy(tenant).path for tenant in addresses}
    visits = {
        tenant: [Visit(context.stack.tenants[tenant].hostname, address, expected[tenant]) for address in some]
        for tenant, some in addresses.items()
    }
    internal = {tenant for tenant, way in routings.items() if way.internal}
    probes = {tenant: tuple(some) for tenant, some in _visited(context, visits, internal=internal).items()}
    insides, unread = _insides(context, expected, routings, right(context.stack, probes))
    return Visits(probes, insides, unread)


def right(stack: Stack, probes: Mapping[Subject, Sequence[Probe]]) -> frozenset[Subject]:
    """Tenants whose site answers at every address that was tried, as a site that is up does. Pure."""
    return frozenset(
        tenant
        for tenant, some in probes.items()
        if some
        and all(one.reached is Reached.ANSWERED for one in some)
        and not any(answers.wrong(stack.tenants[tenant].hostname, one, stack.healthy(tenant)) for one in some)
    )


def _visited(
    context: VisitsContext, visits: Mapping[Subject, list[Visit]], *, internal: Collection[Subject]
) -> dict[Subject, list[Probe]]:
    """From here; an internal load balancer is visited from the runner, where there is one: from here is no way."""
    runner = context.stack.runner
    within = set(internal) & visits.keys() if runner is not None and context.needs_runner else set()
    outside = [one for tenant, some in visits.items() if tenant not in within for one in some]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        from_here = pool.map(lambda one: context.probe(one.hostname, one.address, one.path), outside)
        hidden = [one for tenant, some in visits.items() if tenant in within for one in some]
        from_runner = iter(inside.visit(context.ssm, runner.instance_id, hidden) if hidden and runner else ())
        return {
            tenant: [next(from_runner if tenant in within else from_here) for _ in some]
            for tenant, some in visits.items()
        }


def _insides(
    context: VisitsContext,
    paths: Mapping[Subject, str],
    routings: Mapping[Subject, Routing],
    answering: Collection[Subject],
) -> tuple[Mapping[Subject, SiteBackend], Mapping[Subject, Unread]]:
    """A DescribeTargetHealth and a DescribeTaskDefinition for each tenant that is not spared, and few calls for all.

    Spared are those that are `answering` as they shall, look well to ECS, and were not drawn (`engine.close_looks`).
    And who could not be looked at, with the reason: that is no other tenant's matter.
    """
    site_owners, tenants = SiteOwners.of(context.stack), context.stack.tenants
    names = {tenant: tenants[tenant].service_id for tenant in paths}
    services = context.ecs.services(list(names.values()))
    listed = context.ecs.running([name for name in names.values() if name in services])
    tasks = listed.results
    groups = {
        tenant: tenancy.led_to(site_owners.tenants[tenant], path, routings[tenant].rules)
        for tenant, path in paths.items()
    }
    spared = context.close_looks.spared(looking_well(context.stack, services, answering))
    asked = sorted({group for tenant, some in groups.items() if tenant not in spared for group in some})
    health = attempt(asked, context.targets.health, at_once=AT_ONCE)
    unneeded = {names[tenant] for tenant in spared}
    used = {
        name: _definitions(service, tasks.get(name, ())) for name, service in services.items() if name not in unneeded
    }
    arns = sorted({arn for some in used.values() for arn in some})
    defined = attempt(arns, context.definitions.definition, at_once=AT_ONCE)
    failures = {**listed.failures, **health.failures, **defined.failures}
    unread = {
        tenant: Unread.because(failures[part])
        for tenant, name in names.items()
        for part in (name, *(groups[tenant] if tenant not in spared else ()), *used.get(name, ()))
        if part in failures
    }
    seen = {
        tenant: SiteBackend(
            services[name].target_groups if name in services else None,
            tuple(
                target for group in groups[tenant] if tenant not in spared for target in health.results[group].serving
            ),
            tuple(address for task in tasks.get(name, ()) for address in task.addresses),
            tenancy.connections(defined.results[arn] for arn in sorted(used.get(name, ()))),
            tenant not in spared,
        )
        for tenant, name in names.items()
        if tenant not in unread
    }
    return seen, unread


def looking_well(stack: Stack, services: Mapping[str, Service], answering: Collection[Subject]) -> frozenset[Subject]:
    """Of those whose sites answer as they shall: whose service shows no trouble either. Pure."""
    shown = {tenant: services.get(stack.tenants[tenant].service_id) for tenant in answering}
    return frozenset(
        tenant for tenant, one in shown.items() if one and one.looks_well(stack.tenants[tenant].target_group_arn)
    )


def _definitions(service: Service, tasks: Iterable[Task]) -> frozenset[str]:
    """Those that its tasks run, and that the next ones will."""
    primary = service.primary.task_definition if service.primary else service.task_definition
    return frozenset(arn for arn in (primary, *(task.task_definition for task in tasks)) if arn)


def not_its_own(
    tenant: Subject, path: str, site_owners: SiteOwners, routing: Routing, insides: Mapping[Subject, SiteBackend]
) -> Problem | None:
    """What of the tenant's way is not its own. The worst comes first: that its visitors see another's data. Pure."""
    if tenant not in insides:
        return None
    found = [
        tenancy.misled(tenant, path, site_owners, routing.rules, insides[tenant]),
        tenancy.mixed_up(tenant, site_owners, insides),
    ]
    return min((one for one in found if one), key=lambda one: one.code != tenancy.MIXED, default=None)
