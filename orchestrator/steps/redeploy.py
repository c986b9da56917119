"""`redeploy`: redeploys the services whose tasks failed for a cause that is repaired now; leaves the others alone.

A redeploy helps tasks that failed, or started, before their database, role or secret existed. It doesn't help against a
cause that would repeat: then this step says why it does nothing, and the `services` step gives the verdict.

Right after Terraform's own changes, ECS may still show the previous deployment: its failures don't count then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from orchestrator import index
from orchestrator.aws.clusters import place, whole
from orchestrator.engine.step import SEPARATOR, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import each
from orchestrator.errors import Problem
from orchestrator.rollout import progress, timeline
from orchestrator.rollout.diagnosis import Cause, RepairedBy, classify
from orchestrator.rollout.ownership import objections
from orchestrator.rollout.progress import ProgressContext, Rollout
from orchestrator.rollout.situation import Rules
from orchestrator.stack.ownership import PartKind, remedy


@dataclass(frozen=True, slots=True)
class RedeployFacts:
    """Per tenant its rollout; the tenants whose database was made, and that were redeployed, in this run.

    `before` is per tenant the deployment found at the first look: a newer one has all that a redeploy would bring, even
    when it is ours and its answer was lost.
    """

    rollouts: Mapping[str, Rollout]
    services: Mapping[str, str]
    made: frozenset[str] = frozenset()
    redeployed: frozenset[str] = frozenset()
    before: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    """Per tenant the deployment that this run caused, as UpdateService named it."""
    earlier: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Per tenant the deployments that were there before."""
    cluster: str = ""
    foreign: Mapping[str, str] = field(default_factory=dict)
    """Tenants whose service would be redeployed if it were the stack's own, and why it isn't."""
    wary: float = 0.0
    """Seconds for which what is shown may be older than what somebody changed just before this run's steps."""


class RedeployContext(ProgressContext, Protocol):
    """What the step needs beside what every look at rollouts does."""

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
        """When the run's steps began: after Terraform."""
        ...


def observe(context: RedeployContext) -> RedeployFacts:
    """Services, and the tasks of those that are not steady. One that looks well asks for nothing here.

    Neither does one whose database was made in this run: it is redeployed, whatever its tasks died of before.
    """
    wary = context.wait_rules.wary - (context.now() - context.started).total_seconds()
    stack, kept = context.stack, context.rollout_memory
    made = frozenset(stack.subjects_of(context.databases_made))
    seen = progress.observe(
        stack, context.ecs, context.targets, context.logs, memory=kept, spare=frozenset, glance=made
    )
    services = {tenant: rollout.service for tenant, rollout in seen.items() if rollout.service is not None}
    memory = kept.update(lambda value: value.having_asked({} if wary > 0 else services).having_seen(services))
    facts = RedeployFacts(
        cluster=stack.cluster,
        rollouts=seen,
        services={name: one.name for name, one in stack.services.items()},
        made=made,
        redeployed=frozenset(memory.caused),
        before=memory.asked_about,
        ours=memory.caused,
        earlier=memory.earlier,
        wary=max(0.0, wary),
    )
    wanted = [tenant for tenant, verdict in decide(facts).items() if isinstance(verdict, Todo)]
    return replace(facts, foreign=objections(stack, facts.rollouts, wanted))


def decide(facts: RedeployFacts) -> Verdicts:
    """Per tenant: a redeploy that helps, or why there is none."""
    return {
        tenant: Done(f"no redeploy: {facts.services[tenant]} is left as it is: {facts.foreign[tenant]}")
        if tenant in facts.foreign
        else _verdict(tenant, rollout, facts)
        for tenant, rollout in facts.rollouts.items()
    }


def _verdict(tenant: str, rollout: Rollout, facts: RedeployFacts) -> Verdict:
    service = facts.services[tenant]
    if rollout.unread is not None:
        return rollout.unread.verdict
    if rollout.service is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {service}", tenant, fix))
    if not rollout.service.deploys_itself:
        return Done(f"no redeploy: {rollout.service.controller} makes its deployments, and ECS refuses a forced one")
    if tenant in facts.redeployed:
        return redeployed(tenant, rollout, facts)
    if rollout.primary is not None and rollout.primary.id != facts.before.get(tenant, rollout.primary.id):
        return Done(f"no redeploy needed: {rollout.primary.id} has started meanwhile")
    if rollout.service.desired == 0:
        return Done("no redeploy: its desired count is 0")
    if tenant in facts.made:
        return Todo(f"redeploy {service}: its tasks started before their database was ready", service)
    if rollout.steady:
        return Done("no redeploy needed: its tasks run")
    verdict = _of_failing(service, rollout)
    if facts.wary > 0 and isinstance(verdict, Todo):
        why = "something was changed a moment ago, and ECS may still show the deployment before that"
        return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=min(timeline.SOON, facts.wary))
    return verdict


def findings(facts: RedeployFacts) -> Iterable[Problem]:
    """Services that would be redeployed if that were ours to do."""
    for tenant, why in facts.foreign.items():
        name = facts.services[tenant]
        own = place(name, facts.cluster)[1]
        message = f"{name} should be redeployed, but is left as it is: {why}"
        named = f'or name it yourself: service = "{own}" under [contract.tenants.{_table(tenant)}] in orchestrate.toml'
        fix = f"{remedy(PartKind.SERVICE, whole(name, facts.cluster))}; {named}"
        yield Problem("not-this-stacks", message, tenant, fix)
    for tenant, rollout in facts.rollouts.items():
        service = rollout.service
        if service is None or service.deploys_itself:
            continue
        cause = classify(rollout.failures[0]) if rollout.failures else None
        curable = cause is not None and cause.repaired_by is RepairedBy.WORKFLOW and not _outlived(rollout)
        if tenant in facts.made or curable:
            message = f"{service.name} should be redeployed, but its deployments are {service.controller}'s to make"
            fix = f"make a deployment there ({WAYS.get(service.controller, 'its controller')}); or stop its tasks with "
            yield Problem("redeploy-not-ours", message, tenant, f"{fix}`aws ecs stop-task`: ECS starts new ones")


def _table(subject: Subject) -> str:
    """Where the contract has the service."""
    return subject.replace(SEPARATOR, ".workers.")


WAYS = {"CODE_DEPLOY": "`aws deploy create-deployment`", "EXTERNAL": "`aws ecs create-task-set`"}


def redeployed(tenant: str, rollout: Rollout, facts: RedeployFacts) -> Verdict:
    """ECS may still show the world before our UpdateService: until it shows more, nothing of ours was seen."""
    ours, primary = facts.ours.get(tenant, ""), rollout.primary
    shown = [one.id for one in rollout.service.deployments] if rollout.service else []
    if ours in shown or primary is None or primary.id not in facts.earlier.get(tenant, frozenset()):
        return Done(f"redeployed: {ours} started" if ours else "redeployed")
    why = f"ECS still shows {primary.id}, from before our {ours or 'redeploy'}"
    return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=timeline.SOON)


def _of_failing(service: str, rollout: Rollout) -> Verdict:
    stuck = rollout.primary is not None and rollout.primary.rollout_state == "FAILED"
    cause = classify(rollout.failures[0]) if rollout.failures else None
    if cause is None:
        if stuck:
            return Todo(
                f"redeploy {service}: its rollout failed, and a failed rollout never retries by itself", service
            )
        return Done("no redeploy needed: its rollout is in progress")
    if cause.repaired_by is RepairedBy.TASK_DEFINITION:
        return Done(f"no redeploy: {cause.message}; the same task definition would repeat it")
    if cause.repaired_by is RepairedBy.WORKFLOW and not _outlived(rollout):
        return Todo(f"redeploy {service}: {cause.message}, and that is repaired", service)
    if stuck:
        return Todo(
            f"redeploy {service} once: its rollout failed ({cause.message}) and never retries by itself", service
        )
    return Done(f"no redeploy: ECS itself retries ({_short(cause)})")


def _outlived(rollout: Rollout) -> bool:
    """Whether a task that started after the newest failure runs now: it found what the failed one missed."""
    ended = rollout.failures[0].task.stopped_at
    return any(
        task.status == "RUNNING" and ended is not None and task.created_at is not None and task.created_at > ended
        for task in rollout.alive
    )


def _short(cause: Cause) -> str:
    return f"{cause.code}: {cause.message}"


def apply(context: RedeployContext, todos: Mapping[Subject, Todo]) -> None:
    """UpdateService with forceNewDeployment, one call per service; remembers each deployment's id."""

    def start(tenant: Subject) -> None:
        deployment = context.ecs.redeploy(todos[tenant].payload)
        context.rollout_memory.update_service(tenant, lambda one: one.having_caused(deployment))

    each(todos, start)


STEP: Step[RedeployContext, RedeployFacts] = Step(
    id="redeploy",
    title="no service is left failed by a cause that is repaired",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("tenant-databases", "redis-auth", *index.STEPS, "stored-data"),
    timeout=300,
    findings=findings,
)
