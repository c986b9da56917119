"""How a native BLUE_GREEN, LINEAR or CANARY deployment goes on: its stages, its steps of traffic, its hooks. Pure.

Sources: the ECS developer guide's chapters on blue/green, linear and canary deployments, lifecycle and pause hooks; and
the documentation of the API's own model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

ROLLING, BLUE_GREEN, LINEAR, CANARY = "ROLLING", "BLUE_GREEN", "LINEAR", "CANARY"
RECONCILE, SCALE_UP = "RECONCILE_SERVICE", "SCALE_UP"
TEST_SHIFT, SHIFT = "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"
BAKE, CLEAN_UP = "BAKE_TIME", "CLEAN_UP"
STAGES = (
    "PRE_SCALE_UP",
    SCALE_UP,
    "POST_SCALE_UP",
    TEST_SHIFT,
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    SHIFT,
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    BAKE,
    CLEAN_UP,
)
"""In their order; before them comes `RECONCILE` where more than one revision is active already."""
MINUTE = 60.0
PAUSED_FOR = 1440
"""Minutes until a pause that nobody ends is ended by its time-out action, where the hook says nothing else."""


@dataclass(frozen=True, slots=True)
class TrafficStep:
    """So many percent of the visitors go to the new tasks, for so many seconds at least."""

    percent: float
    bake: float = 0.0


def strategy_of(configuration: Mapping[str, Any]) -> str:
    """A service's strategy."""
    return str(configuration.get("strategy") or ROLLING)


def is_native(configuration: Mapping[str, Any]) -> bool:
    """Whether ECS itself shifts the traffic between two sets of tasks."""
    return strategy_of(configuration) != ROLLING


def stages(*, others_active: bool) -> tuple[str, ...]:
    """The stages of one deployment."""
    return (RECONCILE, *STAGES) if others_active else STAGES


def traffic_steps(configuration: Mapping[str, Any]) -> tuple[TrafficStep, ...]:
    """How production traffic is shifted. After the last step, the deployment's own bake time counts."""
    match strategy_of(configuration):
        case "CANARY":
            given = configuration.get("canaryConfiguration") or {}
            first = float(given.get("canaryPercent", 5.0))
            bake = MINUTE * float(given.get("canaryBakeTimeInMinutes", 10))
            return (TrafficStep(first, bake), TrafficStep(100.0)) if first < 100 else (TrafficStep(100.0),)
        case "LINEAR":
            return tuple(_linear(configuration.get("linearConfiguration") or {}))
        case _:
            return (TrafficStep(100.0),)


def _linear(given: Mapping[str, Any]) -> Iterator[TrafficStep]:
    step = float(given.get("stepPercent", 10.0))
    bake = MINUTE * float(given.get("stepBakeTimeInMinutes", 6))
    number = 1
    while number * step < 100:
        yield TrafficStep(round(number * step, 1), bake)
        number += 1
    yield TrafficStep(100.0)


def bake_seconds(configuration: Mapping[str, Any]) -> float:
    """For how long both sets of tasks run after all visitors were led to the new one."""
    return MINUTE * float(configuration.get("bakeTimeInMinutes") or 0)


def hooks_at(configuration: Mapping[str, Any], stage: str) -> Sequence[Mapping[str, Any]]:
    """The hooks that are to run at a stage."""
    hooks: Sequence[Mapping[str, Any]] = configuration.get("lifecycleHooks") or ()
    return [hook for hook in hooks if stage in (hook.get("lifecycleStages") or ())]


def pauses(hook: Mapping[str, Any]) -> bool:
    """Whether the hook waits for ContinueServiceDeployment."""
    return hook.get("targetType") == "PAUSE"


def time_out(hook: Mapping[str, Any]) -> tuple[float, str]:
    """Seconds that a hook may take, and what is done then: CONTINUE or ROLLBACK."""
    given = hook.get("timeoutConfiguration") or {}
    return MINUTE * float(given.get("timeoutInMinutes") or PAUSED_FOR), str(given.get("action") or "ROLLBACK")


def objections(configuration: Mapping[str, Any], controller: str, balancers: Sequence[Mapping[str, Any]]) -> str:
    """Why CreateService and UpdateService refuse it; empty: they don't. AWS's conditions, in words of ours."""
    early = configuration.get("earlySuccessCriteria") or {}
    least = int(configuration.get("minimumHealthyPercent", 100))
    if is_native(configuration):
        strategy = strategy_of(configuration)
        if controller != "ECS":
            return f"The deployment strategy {strategy} is only supported with the ECS deployment controller."
        if early.get("enable"):
            return "Early success criteria are only supported with the ROLLING deployment strategy."
        if any(not one.get("advancedConfiguration") for one in balancers):
            return f"advancedConfiguration is required for each load balancer with the deployment strategy {strategy}."
    elif early.get("enable") and int(early.get("healthyPercent", 0)) < least:
        return "earlySuccessCriteria.healthyPercent must be greater than or equal to minimumHealthyPercent."
    for hook in configuration.get("lifecycleHooks") or ():
        if not pauses(hook) and not hook.get("hookTargetArn"):
            return "hookTargetArn is required for a lifecycle hook with the target type AWS_LAMBDA."
    return ""
