"""`services`: of each one, running equals desired > 0 for *our* deployment, its targets are healthy, and it held.

A tenant may have several (`stack/services.py`): each is a subject of its own, and a worker has no targets.

Where there are more tenants than `close_looks` takes, ECS's own word that a service is steady stands for its targets,
unless this run changed it, saw it unsteady, or drew it into the sample: the site itself is asked by the step `sites`.

Ours is the deployment this run caused, else the one it found. What makes it good or hopeless is said in
rollout/verdict.py, when the next state can come in rollout/timeline.py, what a look costs in rollout/progress.py.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from orchestrator.aws.elbv2 import Elbv2, HealthCheck
from orchestrator.database.model import WantedDatabase, wanted_of
from orchestrator.database.server import Server
from orchestrator.engine.close_looks import CloseLooks
from orchestrator.engine.step import Step, Subject, Todo, Verdict, Verdicts, Wait, tenant_of
from orchestrator.engine.subjects import each, refusals
from orchestrator.errors import Problem
from orchestrator.rollout import pacing, progress, timeline
from orchestrator.rollout.memory import Memory
from orchestrator.rollout.progress import Rollout
from orchestrator.rollout.situation import Rules as Rules  # noqa: PLC0414 - who runs the step finds it here
from orchestrator.rollout.situation import Situation
from orchestrator.rollout.verdict import judge


class ServicesContext(progress.ProgressContext, Protocol):
    """What the step needs beside what every look at rollouts does."""

    @property
    def targets(self) -> Elbv2:
        """Target groups."""
        ...

    @property
    def close_looks(self) -> CloseLooks:
        """Whose targets are asked for although nothing shows trouble."""
        ...

    @property
    def database(self) -> Server:
        """The way to the PostgreSQL server."""
        ...

    @property
    def wait_rules(self) -> Rules:
        """How to wait."""
        ...

    @property
    def now(self) -> Callable[[], datetime]:
        """Wall-clock time, UTC."""
        ...

    @property
    def started(self) -> datetime:
        """When the run began: failures before that are history, not verdicts."""
        ...


@dataclass(frozen=True, slots=True)
class ServicesFacts:
    """By subject each service's rollout and name; the deployments we caused; when the run began, and now."""

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    ours: Mapping[str, str]
    started: datetime
    now: datetime
    rules: Rules = Rules()  # noqa: RUF009 - frozen
    wanted: Mapping[str, WantedDatabase] = field(default_factory=dict)
    """Per tenant the database the stack says it has."""
    database_recreated: Mapping[str, datetime] = field(default_factory=dict)
    """Tenants whose database was made again while waiting, and when."""
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    """Per tenant how its targets are checked, where that matters: see `_checks_matter`."""
    earlier: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per tenant the deployments that were there before this run caused one."""
    noticed: Mapping[str, datetime] = field(default_factory=dict)
    """Per tenant since when this run sees its present deployment."""
    scaled: Mapping[str, int] = field(default_factory=dict)
    """Per tenant how many tasks this run asked for, of a service that was at 0."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """Per tenant its target group."""
    cluster: str = ""
    stopped: frozenset[str] = frozenset()
    """Tenants whose deployment this run stopped: that ECS went back is what was wanted."""


def observe(context: ServicesContext) -> ServicesFacts:
    """Services, targets, and the tasks of those that show trouble or don't come up."""
    stack, kept, now = context.stack, context.rollout_memory, context.now()
    most = context.wait_rules.timeout / 4
    changed = _changed(kept.value)
    groups = {name: one.target_group_arn for name, one in stack.services.items() if one.target_group_arn}
    _learn_checks(context, {groups[name] for name in kept.value.caused if name in groups})
    seen = progress.observe(
        stack,
        context.ecs,
        context.targets,
        context.logs,
        memory=kept,
        now=now,
        most=most,
        spare=lambda well: context.close_looks.spared([one for one in well if one not in changed]),
    )
    services = {tenant: rollout.service for tenant, rollout in seen.items() if rollout.service is not None}
    kept.update(lambda value: value.having_seen(services, now))
    _learn_checks(
        context, {groups[name] for name, rollout in seen.items() if name in groups and _checks_matter(rollout)}
    )
    memory = kept.value
    wanted_by = {one.tenant: one for one in wanted_of(stack)}
    histories = memory.histories.items()
    return ServicesFacts(
        rollouts=seen,
        services={name: one.name for name, one in stack.services.items()},
        ours=memory.caused,
        started=context.started,
        now=now,
        rules=context.wait_rules,
        wanted={name: wanted_by[one.tenant] for name, one in stack.services.items()},
        database_recreated={
            name: history.database_recreated for name, history in histories if history.database_recreated is not None
        },
        checks={name: memory.checks[group] for name, group in groups.items() if group in memory.checks},
        earlier=memory.earlier,
        noticed={name: history.since for name, history in histories if history.since is not None},
        scaled={name: history.scaled_to for name, history in histories if history.scaled_to is not None},
        groups=groups,
        cluster=stack.cluster,
        stopped=frozenset(name for name, history in histories if history.stopped),
    )


def _learn_checks(context: ServicesContext, groups: Collection[str]) -> None:
    """How the targets of these groups are checked, where that isn't known yet.

    Nothing else tells when a first rollout can be good, and one that may be late is looked into.
    """
    kept = context.rollout_memory
    if set(groups) - kept.value.checks.keys():
        checks = context.targets.checks(groups)
        kept.update(lambda value: value.with_checks(checks))


def _changed(memory: Memory) -> frozenset[str]:
    """Tenants whose service this run changed, or saw otherwise than it shall be: their targets are asked for."""
    done = (
        name
        for name, one in memory.histories.items()
        if one.caused or one.database_recreated or one.scaled_to or one.stopped
    )
    seen = (name for name, one in memory.services.items() if one.most_running or one.failures)
    return frozenset((*done, *seen))


def _checks_matter(rollout: Rollout) -> bool:
    """Whether the health checks are worth asking for.

    They are when the grace alone is shorter than a start-up, and when no earlier rollout tells how long one takes.
    """
    service, stage = rollout.service, rollout.stage
    if service is None or stage is None:
        return False
    needs, unknown = timeline.start_up(service.happened), not rollout.steady and stage.seconds is None
    return unknown or (needs is not None and service.grace < needs)


def decide(facts: ServicesFacts) -> Verdicts:
    """Per tenant: up, coming, or why it won't come up."""
    least = pacing.least(len(facts.rollouts))
    verdicts = {tenant: judge(_situation(tenant, facts)) for tenant in facts.rollouts}
    return {tenant: _no_sooner(verdict, least) for tenant, verdict in verdicts.items()}


def _no_sooner(verdict: Verdict, seconds: float) -> Verdict:
    if isinstance(verdict, Wait) and verdict.poll is not None:
        return replace(verdict, poll=max(verdict.poll, seconds))
    return verdict


def _situation(tenant: str, facts: ServicesFacts) -> Situation:
    return Situation(
        tenant=tenant,
        name=facts.services[tenant],
        rollout=facts.rollouts[tenant],
        started=facts.started,
        now=facts.now,
        rules=facts.rules,
        ours=facts.ours.get(tenant),
        earlier=facts.earlier.get(tenant),
        since=facts.noticed.get(tenant),
        scaled_to=facts.scaled.get(tenant),
        database_recreated=facts.database_recreated.get(tenant),
        wanted=facts.wanted.get(tenant),
        check=facts.checks.get(tenant),
        group=facts.groups.get(tenant, ""),
        worker=tenant_of(tenant) != tenant,
        cluster=facts.cluster,
        stopped=tenant in facts.stopped,
    )


def apply(context: ServicesContext, todos: Mapping[Subject, Todo]) -> None:
    """All missing databases at once, then one UpdateService per service whose database is there."""
    context.databases_made.update(map(tenant_of, todos))
    wanted = {todo.payload.wanted.tenant: todo.payload.wanted for todo in todos.values()}
    refused = refusals(lambda: context.database.ensure([*wanted.values()]))

    database_recreated = context.now()

    def start(tenant: Subject) -> None:
        if tenant_of(tenant) in refused:
            raise refused[tenant_of(tenant)]
        if todos[tenant].payload.forced:
            deployment = context.ecs.redeploy(todos[tenant].payload.service)
            context.rollout_memory.update_service(tenant, lambda history: history.having_caused(deployment))
        context.rollout_memory.update_service(
            tenant, lambda history: replace(history, database_recreated=database_recreated)
        )

    each(todos, start)


def findings(facts: ServicesFacts) -> Iterable[Problem]:
    """Health checks that give up before a task of this service was ever good."""
    for tenant, rollout in facts.rollouts.items():
        check, service = facts.checks.get(tenant), rollout.service
        needs = timeline.start_up(service.happened) if service else None
        if check is None or service is None or needs is None:
            continue
        given = service.grace + check.interval * check.unhealthy
        if given < needs:
            message = (
                f"{service.name}: a task is given {given:.0f} s to become healthy, the last one needed {needs:.0f} s"
            )
            fix = f"set healthCheckGracePeriodSeconds to {max(600, round(1.5 * needs))} or more"
            yield Problem("grace-too-short", message, tenant, fix)


STEP: Step[ServicesContext, ServicesFacts] = Step(
    id="services",
    title="services run and their targets are healthy",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("redeploy", "runner"),
    timeout=1800,
    poll=5,
    findings=findings,
)
