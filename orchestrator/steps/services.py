"""`services`: of every tenant, running equals desired > 0 for *our* deployment, its targets are healthy, and it held.

Ours is the deployment this run caused, else the one it found. When the next state can come is said in timeline.py, what
a look costs in rollout/progress.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator.aws.ecs import Deployment, Service
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.database.model import Server, Wanted, wanted_of
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import each, refusals
from orchestrator.errors import Problem
from orchestrator.rollout import progress, timeline, words
from orchestrator.rollout.diagnosis import Cause, Cure, Failure, classify
from orchestrator.rollout.progress import Rollout

TWICE = 2
CRASH_LOOP = 4
"""Failures of one deployment after which it is hopeless whatever their causes."""
UNATTACHED = 10.0
"""Seconds for which a service must be seen without its target group: a change of it may not show yet."""
HEALED_BY_US = "database-missing"


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run waits. `settle`: seconds a deployment's newest task must have been left in peace before it counts.

    `heals`: whether this run brings databases to life, so that one found missing while waiting is made again. `wary`:
    seconds for which a deployment that this run did not cause must be seen to be the newest. A moment ago somebody
    (Terraform, a run that died) may have begun another one, which is not shown yet.
    """

    allow_zero: bool = False
    settle: float = 10.0
    heals: bool = False
    wary: float = 0.0


class Targets(progress.Targets, Protocol):
    """Target groups and how they check."""

    def checks(self, target_group_arns: Iterable[str]) -> Mapping[str, HealthCheck]:
        """The health checks of the groups."""
        ...


class ServicesContext(progress.ProgressContext, Protocol):
    """What the step needs beside what every look at rollouts does."""

    @property
    def targets(self) -> Targets:
        """Target groups."""
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
    """Per tenant its rollout and the service's name; the deployments we caused; when the run began, and now."""

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    ours: Mapping[str, str]
    started: datetime
    now: datetime
    rules: Rules = Rules()
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    """Per tenant the database the stack says it has."""
    healed: frozenset[str] = frozenset()
    """Tenants whose database was made again while waiting."""
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


@dataclass(frozen=True, slots=True)
class Heal:
    """Make the database again, then start the service again."""

    service: str
    wanted: Wanted
    forced: bool = True
    """False: its deployments are another controller's to make; ECS starts failed tasks again by itself."""


def observe(context: ServicesContext) -> ServicesFacts:
    """Services, targets, and the tasks of those that show trouble or don't come up."""
    stack, watch, now = context.stack, context.watch, context.now()
    seen = progress.observe(stack, context.ecs, context.targets, context.logs, watch=watch, now=now)
    watch.note(seen, context.deployments, now)
    wanted = {stack.tenants[name].target_group_arn for name, rollout in seen.items() if _checks_matter(rollout)}
    if wanted - watch.checks.keys():
        watch.checks.update(context.targets.checks(wanted))
    tenants = stack.tenants.items()
    return ServicesFacts(
        rollouts=seen,
        services={name: tenant.service for name, tenant in tenants},
        ours=dict(context.deployments),
        started=context.started,
        now=now,
        rules=context.wait_rules,
        wanted={one.tenant: one for one in wanted_of(stack)},
        healed=frozenset(watch.healed),
        checks={name: watch.checks[it.target_group_arn] for name, it in tenants if it.target_group_arn in watch.checks},
        earlier={name: frozenset(some) for name, some in watch.earlier.items()},
        noticed={name: since for name, (_, since) in watch.noticed.items()},
        scaled=dict(watch.scaled),
        groups={name: tenant.target_group_arn for name, tenant in tenants},
    )


def _checks_matter(rollout: Rollout) -> bool:
    """Whether the health checks are worth asking for.

    They are when the grace alone is shorter than a start-up, and when no earlier rollout tells how long targets take.
    """
    service, primary = rollout.service, rollout.primary
    if service is None or primary is None:
        return False
    needs, stage = timeline.start_up(service.happened), timeline.expectation(service, primary)
    unknown = not rollout.steady and stage.checked and stage.seconds is None
    return unknown or (needs is not None and service.grace < needs)


def decide(facts: ServicesFacts) -> Verdicts:
    """Per tenant: up, coming, or why it won't come up."""
    return {tenant: _verdict(tenant, rollout, facts) for tenant, rollout in facts.rollouts.items()}


def _verdict(tenant: str, rollout: Rollout, facts: ServicesFacts) -> Verdict:
    service, primary = rollout.service, rollout.primary
    name = facts.services[tenant]
    if rollout.unread is not None:
        return rollout.unread.verdict
    if service is not None and primary is None and not service.deploys_itself:
        return _without_task_set(tenant, service, facts)
    if service is None or primary is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    late = _before_ours(tenant, service, primary, facts)
    if late:
        return late
    if service.desired == 0:
        return _at_zero(tenant, service, facts)
    replaced = _replaced(tenant, rollout, facts)
    if replaced:
        return replaced
    counts = f"{primary.running}/{primary.desired} running"
    if _is_good(rollout):
        left = _settle_time(rollout, facts.rules) - _in_peace(service, primary, facts)
        left = max(left, _doubt(tenant, facts))
        up = f"{counts}, {rollout.targets.healthy} healthy: {words.identity(rollout)}"
        return Done(up) if left <= 0 else Wait(f"{up}, settling", poll=max(left, timeline.DENSEST))
    hopeless = _heal(tenant, rollout, facts) or _hopeless(tenant, rollout, facts.started)
    hopeless = hopeless or _unattached(tenant, rollout, facts)
    if hopeless:
        return hopeless
    watched = facts.ours.get(tenant, primary.id)
    superseded = " (superseded by another deployment)" if watched != primary.id else ""
    stage = timeline.expectation(service, primary)
    elapsed = (facts.now - stage.since).total_seconds()
    progress = f"{primary.id} {rollout.revision}" if rollout.revision else ""
    check = facts.checks.get(tenant)
    earliest = check.interval * check.healthy if check and stage.checked else 0.0
    poll = timeline.next_look(elapsed, stage.seconds, earliest)
    return Wait(
        words.doing(rollout, counts) + superseded,
        *words.should_it_never(rollout),
        poll=poll,
        progress=progress,
    )


def _without_task_set(tenant: str, service: Service, facts: ServicesFacts) -> Verdict:
    """None of its task sets is the PRIMARY: nobody says which tasks are the newest, so that is not judged."""
    counts = f"{service.running}/{service.desired} running"
    if service.desired == 0:
        return _at_zero(tenant, service, facts)
    if service.running >= service.desired and not service.pending:
        return Done(f"{counts}; not judged whether they are the newest: {service.controller} makes its deployments")
    fix = f"see what {service.controller} is doing: the service has no PRIMARY task set"
    return Wait(f"{counts}, no PRIMARY task set", "service-not-running", fix)


def _unattached(tenant: str, rollout: Rollout, facts: ServicesFacts) -> Blocked | None:
    """Its tasks run, and will never be in the target group that its name leads to."""
    service, group = rollout.service, facts.groups.get(tenant, "")
    known = service.target_groups if service else None
    if known is None or not group or group in known or not rollout.steady or rollout.targets.states:
        return None
    since = facts.noticed.get(tenant)
    if since is not None and (facts.now - since).total_seconds() < UNATTACHED:
        return None
    message = f"{facts.services[tenant]} registers its tasks in {', '.join(known) or 'no target group'}, not in {group}"
    fix = "name the tenant's target group in the service's load_balancer block; terraform apply"
    return Blocked(Problem("target-group-not-attached", message, tenant, fix))


def _before_ours(tenant: str, service: Service, primary: Deployment, facts: ServicesFacts) -> Wait | None:
    """ECS still shows the world as it was before this run changed it: the old deployment may be as steady as ever."""
    if tenant in facts.scaled and service.desired == 0:
        why = f"ECS still shows a desired count of 0, {facts.scaled[tenant]} were asked for"
        return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=timeline.SOON)
    ours = facts.ours.get(tenant)
    if ours is None or any(one.id == ours for one in service.deployments):
        return None
    known = facts.earlier.get(tenant)
    if primary.id in known if known is not None else primary.created_at < facts.started:
        why = f"ECS still shows {primary.id}, from before our {ours or 'redeploy'}"
        return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=timeline.SOON)
    return None


def _doubt(tenant: str, facts: ServicesFacts) -> float:
    """Seconds for which a deployment that we did not cause has yet to be seen to be the newest."""
    if not facts.rules.wary or tenant in facts.ours:
        return 0.0
    return facts.rules.wary - (facts.now - facts.noticed.get(tenant, facts.now)).total_seconds()


def _at_zero(tenant: str, service: Service, facts: ServicesFacts) -> Verdict:
    if facts.rules.allow_zero:
        left = service.running + service.pending
        return Wait(f"scaled to 0, {left} tasks still there") if left else Done("scaled to 0, as allowed")
    fix = (
        f"aws ecs update-service --service {service.name} --desired-count N (paused: orchestrate resume; --allow-zero)"
    )
    return Blocked(Problem("desired-count-zero", f"{service.name} is scaled to 0", tenant, fix))


def _replaced(tenant: str, rollout: Rollout, facts: ServicesFacts) -> Blocked | None:
    """ECS went back to an older deployment, or somebody began another one and ours isn't in it.

    When this run caused a deployment, whichever comes after it has what ours was for: it is followed.
    """
    service, primary = rollout.service, rollout.primary
    watched = facts.ours.get(tenant, rollout.watched)
    if service is None or primary is None:
        return None
    if timeline.rolled_back(service, watched):
        message = f"ECS gave up the new deployment and went back to an older one ({primary.task_definition})"
        causes = [classify(failure) for failure in rollout.failures[:1]]
        why = "".join(f": {cause.message}" for cause in causes)
        fix = "repair what made its tasks fail (orchestrate doctor, the service's events), then deploy again"
        return Blocked(Problem("rolled-back", message + why, tenant, fix))
    # One that is older than this run was only not shown at the first look; a wary run expects one to come.
    begun = primary.created_at >= facts.started and not facts.rules.wary
    if watched and watched != primary.id and tenant not in facts.ours and begun:
        message = f"somebody began deployment {primary.id} while {watched} was under way"
        return Blocked(Problem("superseded", message, tenant, "run the same command again to wait for the new one"))
    return None


def _is_good(rollout: Rollout) -> bool:
    """ECS is content with the one deployment there is, and the load balancer with every target."""
    service = rollout.service
    return (
        service is not None
        and rollout.steady
        and rollout.targets.healthy >= service.desired
        and set(rollout.targets.states) == {"healthy"}
    )


def _settle_time(rollout: Rollout, rules: Rules) -> float:
    """Seconds of peace that prove it: tasks that follow crashed ones have to outlive them (up to six times as long)."""
    lives = [
        (task.stopped_at - task.created_at).total_seconds()
        for task in (failure.task for failure in rollout.failures)
        if task.stopped_at is not None and task.created_at is not None
    ]
    return max(rules.settle, min(max(lives, default=0.0), 6 * rules.settle))


def _in_peace(service: Service, primary: Deployment, facts: ServicesFacts) -> float:
    return (facts.now - timeline.unchanged_since(service, primary)).total_seconds()


def _heal(tenant: str, rollout: Rollout, facts: ServicesFacts) -> Todo | None:
    """The database went missing after its step was done: make it again and redeploy, once in a run."""
    if not facts.rules.heals or tenant in facts.healed or tenant not in facts.wanted or not rollout.failures:
        return None
    newest = rollout.failures[0]
    if classify(newest).code != HEALED_BY_US or not _watched(newest, facts.started):
        return None
    wanted, service = facts.wanted[tenant], facts.services[tenant]
    forced = rollout.service is not None and rollout.service.deploys_itself
    again = f"make database {wanted.database} again{f' and redeploy {service}' if forced else ''}: it went missing"
    return Todo(again, Heal(service, wanted, forced))


def _watched(failure: Failure, started: datetime) -> bool:
    """Whether the task ended while this run watched. One that is still being stopped has no time yet."""
    return failure.task.stopped_at is None or failure.task.stopped_at >= started


def _hopeless(tenant: str, rollout: Rollout, started: datetime) -> Blocked | None:
    """The rollout failed for good; or the same cause came twice, once at least while we watched; or it crash-loops."""
    causes = [classify(failure) for failure in rollout.failures[: progress.AUTOPSIES]]
    failed = rollout.primary is not None and rollout.primary.rollout_state == "FAILED"
    if failed and not rollout.alive:
        return Blocked(_problem(tenant, causes, rollout))
    watched = any(_watched(failure, started) for failure in rollout.failures)
    if not watched or not causes or causes[0].cure is Cure.TIME:
        return None
    repeated = Counter(cause.code for cause in map(classify, rollout.failures))[causes[0].code]
    if repeated >= TWICE or len(rollout.failures) >= CRASH_LOOP:
        return Blocked(_problem(tenant, causes, rollout))
    return None


def _problem(tenant: str, causes: Sequence[Cause], rollout: Rollout) -> Problem:
    if not causes:
        reason = rollout.primary.rollout_reason if rollout.primary else ""
        fix = "look at the service's events; its stopped tasks are no longer shown"
        return Problem("rollout-failed", f"the rollout failed: {reason}", tenant, fix)
    cause = causes[0]
    evidence = f" ({cause.evidence})" if cause.evidence else ""
    return Problem(cause.code, f"{cause.message}{evidence}", tenant, cause.fix)


def apply(context: ServicesContext, todos: Mapping[Subject, Todo]) -> None:
    """All missing databases at once, then one UpdateService per service whose database is there."""
    context.databases_made.update(todos)
    refused = refusals(lambda: context.database.ensure([todo.payload.wanted for todo in todos.values()]))

    def start(tenant: Subject) -> None:
        if tenant in refused:
            raise refused[tenant]
        if todos[tenant].payload.forced:
            if tenant in context.deployments:
                context.watch.earlier.setdefault(tenant, set()).add(context.deployments[tenant])
            context.deployments[tenant] = context.ecs.redeploy(todos[tenant].payload.service)
        context.watch.healed.add(tenant)

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
