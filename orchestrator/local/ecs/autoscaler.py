"""Application Auto Scaling that acts: as long as an alarm of a policy is in ALARM, the service is scaled by it.

An alarm is brought into that state by `aws cloudwatch set-alarm-state`, as nothing is measured here. A scale-out raises
a service below its minimum to the minimum first; a scale-in leaves it alone there (ECS developer guide). Left out:
metrics, cooldowns, scheduled actions, adjustments but ChangeInCapacity's first step, scaling activities.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.ecs.models import ecs_backends

from orchestrator.local.core.cloud import ACCOUNT, Cloud
from orchestrator.local.ecs.model import services_of
from orchestrator.local.ecs.moto import scale
from orchestrator.local.ecs.rollout import LOCK

LOOK_EVERY = 60.0
"""Seconds between two evaluations of an alarm."""
SHORTEST_LOOK = 0.05
"""Real seconds, so that it costs little at any speed."""


def capacity_after(step: int, *, desired: int, minimum: int, maximum: int) -> int:
    """What a policy makes of the desired count; `step` above 0 scales out, below 0 in."""
    if step > 0:
        return minimum if desired < minimum else max(desired, min(desired + step, maximum))
    return min(desired, max(desired + step, minimum))


def start(cloud: Cloud) -> Callable[[], None]:
    """Policies act from now on."""
    thread = threading.Thread(target=_watch, args=(cloud,), name="autoscaler", daemon=True)
    thread.start()

    def stop() -> None:
        cloud.pace.stop()
        thread.join(timeout=10)

    return stop


def _watch(cloud: Cloud) -> None:
    pause = max(SHORTEST_LOOK * cloud.pace.speed, LOOK_EVERY)
    while cloud.pace.sleep(pause):
        try:
            look()
        except RuntimeError as changed:  # moto's dicts have no lock: requests change them while we look
            cloud.log(f"autoscaler: looked while something changed ({changed}); looking again")


def look() -> None:
    """Every policy once."""
    for region, backend in list(applicationautoscaling_backends[ACCOUNT].items()):
        for policy in list(backend.policies.values()):
            _act(region, backend, policy)


def _act(region: str, backend: Any, policy: Any) -> None:
    target = backend.targets.get(policy.scalable_dimension, {}).get(policy.resource_id)
    steps = [step for step in _steps(region, policy) if target and not target.suspended_state[_switch(step)]]
    if policy.service_namespace != "ecs" or not steps:
        return
    _, cluster, name = policy.resource_id.split("/")
    for service in services_of(ecs_backends[ACCOUNT][region]):
        if (service.cluster_name, service.name, service.status) == (cluster, name, "ACTIVE"):
            limits = {"minimum": target.min_capacity, "maximum": target.max_capacity}
            with LOCK:
                scale(service, capacity_after(steps[0], desired=service.desired_count, **limits))


def _switch(step: int) -> str:
    return "DynamicScalingOutSuspended" if step > 0 else "DynamicScalingInSuspended"


def _steps(region: str, policy: Any) -> Iterable[int]:
    """By how many tasks the policy wants to scale now."""
    alarms = cloudwatch_backends[ACCOUNT][region].get_alarms_by_action_prefix(policy.policy_arn)
    for alarm in [one for one in alarms if one.state_value == "ALARM"]:
        if policy.policy_type == "TargetTrackingScaling":
            yield 1 if alarm.comparison_operator.startswith("Greater") else -1
        else:
            adjustments = policy.step_scaling_policy_configuration.get("StepAdjustments") or [{}]
            yield int(adjustments[0].get("ScalingAdjustment", 1))
