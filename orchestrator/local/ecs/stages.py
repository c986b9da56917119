"""Moves a native deployment from stage to stage: waits for its tasks, its hooks and its bake times, shifts the traffic.

The traffic is the weights of the listeners' rules that the service names; a rule that is gone holds the deployment up.
A stage is shown for one look of the scheduler at least. Left out: tests of the new tasks by traffic, alarms, Service
Connect and Lattice, replacement of an old task that dies meanwhile.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.elbv2.models import FakeAction, elbv2_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs import strategy
from orchestrator.local.ecs.model import LivingService
from orchestrator.local.ecs.rollout import DeploymentRecord
from orchestrator.local.ecs.service_deployments import Hook, ServiceDeployment

STOPPED_BY_HAND = "Service deployment stopped by StopServiceDeployment."
BY_HOOK = "A lifecycle hook was answered with ROLLBACK."
TIMED_OUT = "A lifecycle hook timed out."
BREAKER = "Service deployment rolled back because the circuit breaker threshold was exceeded: tasks failed to start."
NO_WAY_BACK = "There is no completed deployment to roll back to."
NOT_LAUNCHING = ("", strategy.RECONCILE, "PRE_SCALE_UP")
"""Stages before which no task of the new revision is started."""


class Stages:
    """One service's native deployment. Called under the scheduler's lock."""

    def __init__(self, pace: Pace, service: LivingService, note: Callable[[str], None]) -> None:
        self._pace = pace
        self._service = service
        self._note = note

    def look(self, record: ServiceDeployment, *, ready: bool, old_gone: bool) -> None:
        """One stage further, if it may. `ready`: all new tasks are healthy; `old_gone`: no other task is left."""
        if record.status == "ROLLBACK_REQUESTED":
            self._begin_to_go_back(record)
        elif record.status == "ROLLBACK_IN_PROGRESS":
            if old_gone and ready:
                self._service.deployments[0].become("COMPLETED", self._service.deployments[0].rollout_state_reason)
                record.become("ROLLBACK_SUCCESSFUL")
                record.shifted = 0.0
        elif record.open:
            self._go_on(record, ready=ready, old_gone=old_gone)

    def _go_on(self, record: ServiceDeployment, *, ready: bool, old_gone: bool) -> None:
        order = strategy.stages(others_active=len(record.sources) > 1)
        if not record.stage:
            self._enter(record, order[0])
            return
        if not self._hooks_done(record):
            return
        if not self._work_done(record, ready=ready, old_gone=old_gone):
            return
        following = order[order.index(record.stage) + 1 :]
        if following:
            self._enter(record, following[0])
            return
        record.target.become("COMPLETED", f"ECS deployment {record.target.id} completed.")
        record.become("SUCCESSFUL")
        self._note(f"(deployment {record.target.id}) deployment completed.")

    def _enter(self, record: ServiceDeployment, stage: str) -> None:
        record.stage, record.step, record.entered = stage, 0, Pace.monotonic()
        record.hooks = [self._hook(one) for one in strategy.hooks_at(record.configuration, stage)]

    def _hook(self, given: Any) -> Hook:
        seconds, action = strategy.time_out(given)
        paused = strategy.pauses(given)
        return Hook(
            id=f"ecs-{'pause' if paused else 'lambda'}-{secrets.token_urlsafe(32)}",
            kind="PAUSE" if paused else "AWS_LAMBDA",
            target=str(given.get("hookTargetArn") or ""),
            status="AWAITING_ACTION" if paused else "SUCCEEDED",
            expires=Pace.now() + timedelta(seconds=seconds),
            expires_monotonic=Pace.monotonic() + self._pace.scaled(seconds),
            on_time_out=action,
        )

    def _hooks_done(self, record: ServiceDeployment) -> bool:
        for hook in record.hooks:
            if hook.status == "AWAITING_ACTION" and Pace.monotonic() >= hook.expires_monotonic:
                hook.status = "TIMED_OUT"
                if hook.on_time_out == "ROLLBACK":
                    request_rollback(record, TIMED_OUT)
        return record.status == "IN_PROGRESS" and all(hook.status != "AWAITING_ACTION" for hook in record.hooks)

    def _work_done(self, record: ServiceDeployment, *, ready: bool, old_gone: bool) -> bool:
        match record.stage:
            case strategy.SCALE_UP:
                return ready
            case strategy.TEST_SHIFT:
                record.tested = True
                return self._lead("testListenerRule", record.target, 100.0)
            case strategy.SHIFT:
                return self._shift(record)
            case strategy.BAKE:
                return self._baked(record, strategy.bake_seconds(record.configuration))
            case strategy.CLEAN_UP:
                return old_gone
        return True

    def _shift(self, record: ServiceDeployment) -> bool:
        steps = strategy.traffic_steps(record.configuration)
        if record.step and not self._baked(record, steps[record.step - 1].bake):
            return False
        if record.step == len(steps):
            return True
        percent = steps[record.step].percent
        if self._lead("productionListenerRule", record.target, percent):
            record.shifted, record.entered = percent, Pace.monotonic()
            record.step += 1
        if record.shifted == 100.0:
            self._service.production_colour = record.target.colour
        return False

    def _baked(self, record: ServiceDeployment, seconds: float) -> bool:
        return Pace.monotonic() >= record.entered + self._pace.scaled(seconds)

    def _lead(self, which: str, target: DeploymentRecord, percent: float) -> bool:
        """Give the target's groups so much of the traffic of a rule. False: a rule that is named isn't there."""
        found = True
        for balancer in self._service.load_balancers:
            advanced = balancer.get("advancedConfiguration") or {}
            if not advanced.get(which):
                continue
            groups = [balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]]
            new = round(percent) if percent in (0.0, 100.0) else min(99, max(1, round(percent)))
            weights = [100 - new, new] if target.colour else [new, 100 - new]
            found &= _weigh(self._service.region_name, advanced[which], dict(zip(groups, weights, strict=True)))
        return found

    def _begin_to_go_back(self, record: ServiceDeployment) -> None:
        """The visitors go back at once, as the old tasks still run; the new ones are stopped then."""
        service, target = self._service, record.target
        source = next((one for one in record.sources if one.rollout_state == "COMPLETED"), None)
        target.become("FAILED", record.why_back)
        target.desired_count = 0
        self._note(f"(deployment {target.id}) deployment failed: {record.why_back}")
        if source is None:
            record.become("ROLLBACK_FAILED", NO_WAY_BACK)
            return
        for which in ("productionListenerRule", "testListenerRule"):
            self._lead(which, source, 100.0)
        service.production_colour = source.colour
        others = [one for one in service.deployments if one not in (source, target)]
        target.status, source.status = "ACTIVE", "PRIMARY"
        source.become("IN_PROGRESS", f"ECS deployment rolling back to deploymentId {source.id}.")
        source.desired_count, service.task_definition = service.desired_count, source.task_definition
        service.deployments = [source, target, *others]
        record.back, record.back_since = source, Pace.now()
        record.become("ROLLBACK_IN_PROGRESS", record.why_back)
        self._note(f"rolling back to (deployment {source.id}).")


def request_rollback(record: ServiceDeployment, why: str) -> None:
    """It goes back at the scheduler's next look. What is on its way back already goes on."""
    if record.status in ("PENDING", "IN_PROGRESS"):
        record.why_back = why
        record.become("ROLLBACK_REQUESTED", why)


def _weigh(region: str, rule_arn: str, weights: dict[str, int]) -> bool:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    backend = elbv2_backends[ACCOUNT][region]
    rules = [
        rule
        for one in list(backend.load_balancers.values())
        for listener in list(one.listeners.values())
        for rule in list(listener.rules.values())
    ]
    rule = next((one for one in rules if one.arn == rule_arn), None)
    if rule is not None:
        rule.actions = [FakeAction({"Type": "forward", "Order": 1, "ForwardConfig": {"TargetGroups": groups}})]
    return rule is not None
