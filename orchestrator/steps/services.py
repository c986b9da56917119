"""`services`: of every tenant, running equals desired > 0 for *our* deployment, its targets are healthy, and it held.

Ours is the deployment this run caused, else the one it found. When the next state can come is said in timeline.py, what
a look costs in rollouts.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestrator import rollouts, timeline
from orchestrator.aws.ecs import Deployment, Service
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.database.model import Server, Wanted, wanted_of
from orchestrator.diagnosis import Cause, Cure, Failure, classify
from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.rollouts import Rollout
from orchestrator.subjects import each

TWICE = 2
CRASH_LOOP = 4
"""Failures of one deployment after which it is hopeless whatever their causes."""
HEALED_BY_US = "database-missing"


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run waits. `settle`: seconds a deployment's newest task must have been left in peace before it counts.

    `heals`: whether this run brings databases to life, so that one found missing while waiting is made again.
    """

    allow_zero: bool = False
    settle: float = 10.0
    heals: bool = False


class Targets(rollouts.Targets, Protocol):
    """Target groups and how they check."""

    def checks(self, target_group_arns: Iterable[str]) -> Mapping[str, HealthCheck]:
        """The health checks of the groups."""
        ...


class Context(rollouts.Context, Protocol):
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
class Facts:
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


@dataclass(frozen=True, slots=True)
class Heal:
    """Make the database again, then start the service again."""

    service: str
    wanted: Wanted


def observe(context: Context) -> Facts:
    """Services, targets, and the tasks of those that show trouble or don't come up."""
    stack, watch, now = context.stack, context.watch, context.now()
    seen = rollouts.observe(stack, context.ecs, context.targets, context.logs, watch=watch, now=now)
    wanted = {stack.tenants[name].target_group_arn for name, rollout in seen.items() if _checks_matter(rollout)}
    if wanted - watch.checks.keys():
        watch.checks.update(context.targets.checks(wanted))
    tenants = stack.tenants.items()
    return Facts(
        rollouts=seen,
        services={name: tenant.service for name, tenant in tenants},
        ours=dict(context.deployments),
        started=context.started,
        now=now,
        rules=context.wait_rules,
        wanted={one.tenant: one for one in wanted_of(stack)},
        healed=frozenset(watch.healed),
        checks={name: watch.checks[it.target_group_arn] for name, it in tenants if it.target_group_arn in watch.checks},
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


def decide(facts: Facts) -> Verdicts:
    """Per tenant: up, coming, or why it won't come up."""
    return {tenant: _verdict(tenant, rollout, facts) for tenant, rollout in facts.rollouts.items()}


def _verdict(tenant: str, rollout: Rollout, facts: Facts) -> Verdict:
    service, primary = rollout.service, rollout.primary
    name = facts.services[tenant]
    if rollout.unread is not None:
        return rollout.unread.verdict
    if service is None or primary is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if service.desired == 0:
        return _at_zero(tenant, service, facts)
    replaced = _replaced(tenant, rollout, facts)
    if replaced:
        return replaced
    counts = f"{primary.running}/{primary.desired} running"
    if _is_good(rollout):
        left = _settle_time(rollout, facts.rules) - _in_peace(service, primary, facts)
        up = f"{counts}, {rollout.targets.healthy} healthy"
        return Done(up) if left <= 0 else Wait(f"{up}, settling", poll=max(left, timeline.DENSEST))
    hopeless = _heal(tenant, rollout, facts) or _hopeless(tenant, rollout, facts.started)
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
    return Wait(_because(rollout, counts) + superseded, *_late(rollout), poll=poll, progress=progress)


def _at_zero(tenant: str, service: Service, facts: Facts) -> Verdict:
    if facts.rules.allow_zero:
        left = service.running + service.pending
        return Wait(f"scaled to 0, {left} tasks still there") if left else Done("scaled to 0, as allowed")
    fix = (
        f"aws ecs update-service --service {service.name} --desired-count N (paused: orchestrate resume; --allow-zero)"
    )
    return Blocked(Problem("desired-count-zero", f"{service.name} is scaled to 0", tenant, fix))


def _replaced(tenant: str, rollout: Rollout, facts: Facts) -> Blocked | None:
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
    if watched and watched != primary.id and tenant not in facts.ours:
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


def _in_peace(service: Service, primary: Deployment, facts: Facts) -> float:
    return (facts.now - timeline.unchanged_since(service, primary)).total_seconds()


def _heal(tenant: str, rollout: Rollout, facts: Facts) -> Todo | None:
    """The database went missing after its step was done: make it again and redeploy, once in a run."""
    if not facts.rules.heals or tenant in facts.healed or tenant not in facts.wanted or not rollout.failures:
        return None
    newest = rollout.failures[0]
    if classify(newest).code != HEALED_BY_US or not _watched(newest, facts.started):
        return None
    wanted, service = facts.wanted[tenant], facts.services[tenant]
    return Todo(f"make database {wanted.database} again and redeploy {service}: it went missing", Heal(service, wanted))


def _watched(failure: Failure, started: datetime) -> bool:
    """Whether the task ended while this run watched. One that is still being stopped has no time yet."""
    return failure.task.stopped_at is None or failure.task.stopped_at >= started


def _hopeless(tenant: str, rollout: Rollout, started: datetime) -> Blocked | None:
    """The rollout failed for good; or the same cause came twice, once at least while we watched; or it crash-loops."""
    causes = [classify(failure) for failure in rollout.failures[: rollouts.AUTOPSIES]]
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


def _because(rollout: Rollout, counts: str) -> str:
    parts = [counts]
    starting = Counter(task.status.lower() for task in rollout.alive if task.status != "RUNNING")
    parts += [f"{count} {state}" for state, count in sorted(starting.items())]
    parts += [f"{count} targets {state}" for state, count in sorted(rollout.targets.states.items())]
    if rollout.revision:
        parts.append(f"migrated to {rollout.revision}")
    if rollout.service and len(rollout.service.deployments) > 1:
        parts.append("the old deployment drains")
    if rollout.failures:
        parts.append(f"{len(rollout.failures)} tasks failed, last: {classify(rollout.failures[0]).code}")
    if _unplaced(rollout):
        parts.append("ECS can't place a task")
    return ", ".join(parts)


def _unplaced(rollout: Rollout) -> str:
    """What ECS says when there is no room for a task: it makes none then, and tries again by itself."""
    service, primary = rollout.service, rollout.primary
    return timeline.unplaced(service, primary) if service and primary else ""


def _late(rollout: Rollout) -> tuple[str, str]:
    """The code and the fix, should the deadline pass now."""
    if _unplaced(rollout):
        return "no-capacity", "add subnets in other availability zones to the service, or make the task smaller"
    if rollout.failures:
        cause = classify(rollout.failures[0])
        return cause.code, cause.fix
    if rollout.targets.states.get("unhealthy"):
        return (
            "target-unhealthy",
            f"check the health path and the application's log ({', '.join(rollout.targets.reasons)})",
        )
    return "service-not-running", "look at the service's events and its tasks"


def apply(context: Context, todos: Mapping[Subject, Todo]) -> None:
    """All missing databases in one session, then one UpdateService per service."""
    context.database.ensure([todo.payload.wanted for todo in todos.values()])
    context.databases_made.update(todos)

    def start(tenant: Subject) -> None:
        context.deployments[tenant] = context.ecs.redeploy(todos[tenant].payload.service)
        context.watch.healed.add(tenant)

    each(todos, start)


def findings(facts: Facts) -> Iterable[Problem]:
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


STEP: Step[Context, Facts] = Step(
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
