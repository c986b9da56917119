"""What ECS's own record of a deployment tells: its stage while it is under way, its reason when it failed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.aws.ecs import ROLLING, Deployment, Service
from orchestrator.aws.service_deployments import RolloutRecord
from orchestrator.rollout import timeline

STAGES: Mapping[str, str] = {
    "RECONCILE_SERVICE": "the tasks of several revisions are reconciled to one",
    "PRE_SCALE_UP": "the new tasks are about to start",
    "SCALE_UP": "the new tasks start",
    "POST_SCALE_UP": "the new tasks run",
    "TEST_TRAFFIC_SHIFT": "test traffic shifts to the new tasks",
    "POST_TEST_TRAFFIC_SHIFT": "test traffic goes to the new tasks",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "production traffic is about to shift to the new tasks",
    "PRODUCTION_TRAFFIC_SHIFT": "production traffic shifts to the new tasks",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "production traffic has shifted to the new tasks",
    "BAKE_TIME": "old and new tasks run side by side",
    "CLEAN_UP": "the old tasks are stopped",
}
"""A lifecycleStage of a native deployment → what happens in it, in the order of the ECS developer guide."""
_TRIGGERED = "TRIGGERED"


def is_native(service: Service) -> bool:
    """Whether ECS shifts its visitors between two sets of tasks: only then a deployment has stages."""
    return service.deploys_itself and service.strategy != ROLLING


def tells(service: Service, primary: Deployment | None, watched: str = "") -> bool:
    """Whether ECS's record can tell more than the service does: the stage of a native deployment, why one failed.

    `watched` is the deployment that was PRIMARY at the first look. Of a service that is up it is not asked.
    """
    if not service.deploys_itself or primary is None:
        return False
    if primary.rollout_state == "FAILED" or timeline.rolled_back(service, watched):
        return True
    return is_native(service) and (primary.rollout_state == "IN_PROGRESS" or len(service.deployments) > 1)


def doing(record: RolloutRecord) -> Iterator[str]:
    """How far it is, in words."""
    if not record.is_open:
        return
    if record.stage:
        yield f"{record.strategy or 'its deployment'} is at {record.stage}{_gloss(record)}"
    if record.visitors is not None and (record.stage or record.visitors):
        yield f"{record.visitors:g} % of production traffic goes to the new tasks"
    if record.hook is not None:
        yield waits(record)
    if not record.can_stop:
        yield f"it rolls back ({reason(record) or record.status})"


def _gloss(record: RolloutRecord) -> str:
    said = STAGES.get(record.stage, "")
    bakes = f" for {record.bake} minutes" if record.stage == "BAKE_TIME" and record.bake else ""
    return f" ({said}{bakes})" if said else ""


def waits(record: RolloutRecord) -> str:
    """For whom it waits at its pause hook, and what comes of it if nobody answers."""
    hook = record.hook
    until = f" until {hook.expires:%Y-%m-%d %H:%M} UTC" if hook and hook.expires else ""
    then = {"ROLLBACK": ", then it rolls back", "CONTINUE": ", then it continues"}.get(
        hook.on_time_out if hook else "", ""
    )
    return f"waits for ContinueServiceDeployment{until}{then if until else ''}"


def reason(record: RolloutRecord | None) -> str:
    """Why it failed or goes back, in AWS's words, with what gave it up; empty: AWS says nothing."""
    if record is None:
        return ""
    said = [record.reason]
    if record.rollback not in record.reason:
        said.append(record.rollback)
    if record.alarms:
        said.append(f"alarms went off: {', '.join(record.alarms)}")
    if record.breaker == _TRIGGERED:
        said.append(
            f"the circuit breaker gave up after {record.failures} failed tasks (its threshold: {record.threshold})"
        )
    return "; ".join(one.rstrip(".") for one in said if one)
