"""`redeploy-forced`: a new deployment of each service that was asked for, whatever the old one is like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engine.step import Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, tenant_of
from orchestrator.errors import Problem
from orchestrator.lifecycle.services import left_alone
from orchestrator.rollout.ownership import objections
from orchestrator.steps import redeploy
from orchestrator.steps.redeploy import RedeployContext, RedeployFacts


@dataclass(frozen=True, slots=True)
class ForcedFacts:
    """What the step `redeploy` sees; and the tenants whose service isn't the stack's own, and why."""

    seen: RedeployFacts
    foreign: Mapping[Subject, str]


def observe(context: RedeployContext) -> ForcedFacts:
    """As the step `redeploy` does; and the state is read, to know whose each service is."""
    seen = redeploy.observe(context)
    return ForcedFacts(seen, objections(context.stack, seen.rollouts, seen.rollouts))


def decide(facts: ForcedFacts) -> Verdicts:
    """Per tenant: one new deployment, once in a run."""
    return {tenant: _verdict(tenant, facts) for tenant in facts.seen.rollouts}


def _verdict(tenant: Subject, facts: ForcedFacts) -> Verdict:
    seen, name = facts.seen, facts.seen.services[tenant]
    rollout = seen.rollouts[tenant]
    service = rollout.service
    if rollout.unread is not None:
        return rollout.unread.verdict
    if service is None:
        fix = "check `cluster`, `region` and the tenant's `service` in the contract"
        return Blocked(Problem("service-missing", f"there is no service {name}", tenant, fix))
    if not service.deploys_itself:
        message = f"{name} is not redeployed: {service.controller} makes its deployments, ECS refuses a forced one"
        fix = f"make a deployment there ({redeploy.WAYS.get(service.controller, 'its controller')})"
        return Blocked(Problem("redeploy-not-ours", message, tenant, fix), refused=True)
    if tenant in facts.foreign:
        return left_alone(name, facts.foreign[tenant])
    if tenant in seen.redeployed:
        return redeploy.redeployed(tenant, rollout, seen)
    if rollout.primary is not None and rollout.primary.id != seen.before.get(tenant, rollout.primary.id):
        return Done(f"redeployed: {rollout.primary.id} began meanwhile")
    if service.desired == 0:
        fix = f"orchestrate resume --tenant {tenant_of(tenant)} starts it"
        message = f"{name} is scaled to 0: a new deployment would start no task"
        return Blocked(Problem("desired-count-zero", message, tenant, fix))
    return Todo(f"redeploy {name}: it was asked for", name)


STEP: Step[RedeployContext, ForcedFacts] = Step(
    id="redeploy-forced",
    title="the services that were asked for have a new deployment",
    observe=observe,
    decide=decide,
    apply=redeploy.apply,
    timeout=300,
)
