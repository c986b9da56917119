"""ECS's own record of a service's deployment: its stage, the hook at which it waits, and why it failed.

ECS keeps one for each deployment that it makes itself, of any strategy, for 90 days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.clusters import place
from orchestrator.aws.pages import items
from orchestrator.aws.session import code_of, translated
from orchestrator.errors import OrchestratorError, Problem

_OPEN = frozenset({"PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS"})
_GOES_FORWARD = frozenset({"PENDING", "IN_PROGRESS"})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PauseHook:
    """A deployment waits here until somebody says ContinueServiceDeployment, or until `expires`."""

    id: str
    expires: datetime | None = None
    on_time_out: str = ""
    """What is done then: CONTINUE or ROLLBACK."""


@dataclass(frozen=True, slots=True)
class RolloutRecord:
    """One deployment. `stage` (a lifecycleStage) is empty of a rolling one, and of one that is over."""

    arn: str
    status: str
    reason: str = ""
    """AWS's statusReason."""
    stage: str = ""
    strategy: str = ""
    visitors: float | None = None
    """Percent of the production traffic that is led to the new tasks."""
    bake: int = 0
    """Minutes for which both sets of tasks run after all visitors were led to the new one."""
    hook: PauseHook | None = None
    """The pause hook that waits for an answer."""
    breaker: str = ""
    """The circuit breaker's status; TRIGGERED: it gave the deployment up."""
    failures: int = 0
    """Tasks that failed in it, as the breaker counts them."""
    threshold: int = 0
    """At how many of these it gives up."""
    alarms: tuple[str, ...] = ()
    """Alarms that went off."""
    rollback: str = ""
    """Why it goes, or went, back."""
    created_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is under way."""
        return self.status in _OPEN

    def is_about(self, rollout_state: str) -> bool:
        """Whether it can be the record of a deployment in this `rolloutState`: a late list may have an older one."""
        return self.is_open or (self.status != "SUCCESSFUL" and rollout_state != "IN_PROGRESS")

    @property
    def can_stop(self) -> bool:
        """Whether it goes forward still: what is on its way back already needs no StopServiceDeployment."""
        return self.status in _GOES_FORWARD


class ServiceDeployments:
    """The records of a stack's services, through a boto3 `ecs` client; `cluster` as in `aws.ecs.Ecs`."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def newest(self, service: str, known: str = "") -> RolloutRecord | None:
        """The service's newest, or the one whose ARN is `known`; None: AWS has none. Two calls, or one."""
        arn = known or self._newest(service)
        if not arn:
            return None
        with translated("ecs:DescribeServiceDeployments"):
            said = [
                raw
                for some in answers(self._client, "describe_service_deployments", serviceDeploymentArns=[arn])
                for raw in some.get("serviceDeployments", ())
            ]
        return _parsed(said[0]) if said else None

    def _newest(self, service: str) -> str:
        with translated("ecs:ListServiceDeployments"):
            cluster, name = place(service, self._cluster)
            wanted: dict[str, Any] = {"cluster": cluster, "service": name}
            listed = list(items(self._client, "list_service_deployments", "serviceDeployments", **wanted))
        newest = max(listed, key=lambda one: one.get("createdAt", _LONG_AGO), default=None)
        return str(newest["serviceDeploymentArn"]) if newest else ""

    def go_on(self, deployment: str, hook: str) -> None:
        """Let it go on from its pause hook. Raises `boto3-too-old` where boto3 does not know the call yet."""
        if not hasattr(self._client, "continue_service_deployment"):
            message = f"this boto3 has no ContinueServiceDeployment ({deployment}, hook {hook})"
            fix = "pip install --upgrade boto3; or continue it in the console: the service's Deployments tab"
            raise OrchestratorError(Problem("boto3-too-old", message, "", fix))
        with translated("ecs:ContinueServiceDeployment"), _unless_over():
            self._client.continue_service_deployment(serviceDeploymentArn=deployment, hookId=hook, action="CONTINUE")

    def stop(self, deployment: str) -> None:
        """Have it go back to what ran before."""
        with translated("ecs:StopServiceDeployment"), _unless_over():
            self._client.stop_service_deployment(serviceDeploymentArn=deployment, stopType="ROLLBACK")


@contextmanager
def _unless_over() -> Iterator[None]:
    """A hook that was answered, or a deployment that has ended, meanwhile is no error: who looks again sees it."""
    try:
        yield
    except ClientError as error:
        if code_of(error) not in ("InvalidParameterException", "ConflictException"):
            raise


def _parsed(raw: Mapping[str, Any]) -> RolloutRecord:
    configuration, breaker = raw.get("deploymentConfiguration", {}), raw.get("deploymentCircuitBreaker", {})
    paused = (
        one
        for one in raw.get("lifecycleHookDetails", ())
        if one.get("targetType") == "PAUSE" and one.get("status") == "AWAITING_ACTION"
    )
    return RolloutRecord(
        arn=raw["serviceDeploymentArn"],
        status=raw.get("status", ""),
        reason=raw.get("statusReason", ""),
        stage=raw.get("lifecycleStage", ""),
        strategy=configuration.get("strategy", ""),
        visitors=raw.get("targetServiceRevision", {}).get("requestedProductionTrafficWeight"),
        bake=int(configuration.get("bakeTimeInMinutes") or 0),
        hook=next(
            (PauseHook(one["hookId"], one.get("expiresAt"), one.get("timeoutAction", "")) for one in paused), None
        ),
        breaker=breaker.get("status", ""),
        failures=int(breaker.get("failureCount") or 0),
        threshold=int(breaker.get("threshold") or 0),
        alarms=tuple(raw.get("alarms", {}).get("triggeredAlarmNames", ())),
        rollback=raw.get("rollback", {}).get("reason", ""),
        created_at=raw.get("createdAt"),
    )
