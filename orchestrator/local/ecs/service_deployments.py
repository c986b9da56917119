"""A service's deployments as ListServiceDeployments and DescribeServiceDeployments tell of them: the record of each.

What becomes of a native one is stages.py's, of a rolling one service.py's. Left out: PENDING (it begins at once),
alarms, the 90 days after which AWS forgets, Lambda functions in hooks: they succeed at once, as nothing runs them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orchestrator.local.core.cloud import ACCOUNT, PARTITION
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs.rollout import DeploymentRecord, breaker_of, breaker_threshold

OPEN = ("PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
STOPPABLE = OPEN
"""Statuses in which StopServiceDeployment is taken: so says the developer guide ("Stopping service deployments")."""


@dataclass(slots=True)
class Hook:
    """A hook that runs, or ran, in a deployment."""

    id: str
    kind: str
    target: str
    status: str
    expires: datetime
    expires_monotonic: float
    on_time_out: str

    def shown(self) -> dict[str, Any]:
        """As DescribeServiceDeployments has it."""
        said = {
            "hookId": self.id,
            "targetType": self.kind,
            "status": self.status,
            "expiresAt": self.expires,
            "timeoutAction": self.on_time_out,
        }
        return said | ({"targetArn": self.target} if self.target else {})


@dataclass(slots=True)
class ServiceDeployment:
    """One. `target` is what it deploys, `sources` are the deployments that it found."""

    service_arn: str
    cluster_arn: str
    region: str
    cluster: str
    service: str
    configuration: dict[str, Any]
    target: DeploymentRecord
    sources: tuple[DeploymentRecord, ...]
    status: str = "IN_PROGRESS"
    reason: str = ""
    name: str = field(default_factory=lambda: secrets.token_urlsafe(16)[:21])
    created: datetime = field(default_factory=Pace.now)
    updated: datetime = field(default_factory=Pace.now)
    finished: datetime | None = None
    stopped: datetime | None = None
    back: DeploymentRecord | None = None
    """The deployment that it goes back to."""
    back_since: datetime | None = None
    why_back: str = ""
    stage: str = ""
    entered: float = 0.0
    """`Pace.monotonic()` at which the stage began, or within it the last step."""
    step: int = 0
    """How many steps of traffic were made in this stage."""
    shifted: float = 0.0
    """Percent of the visitors that are led to the target."""
    tested: bool = False
    hooks: list[Hook] = field(default_factory=list)
    """Those of the stage it is in."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self._arn("service-deployment", self.name)

    @property
    def open(self) -> bool:
        """Whether it is under way."""
        return self.status in OPEN

    def become(self, status: str, reason: str = "") -> None:
        """It reached another status."""
        self.status, self.updated = status, Pace.now()
        self.reason = reason or self.reason
        if status not in OPEN:
            self.finished = self.updated
            self.stopped = self.updated if status == "STOPPED" else None

    def brief(self) -> dict[str, Any]:
        """As ListServiceDeployments has it."""
        said = {
            "serviceDeploymentArn": self.arn,
            "serviceArn": self.service_arn,
            "clusterArn": self.cluster_arn,
            "startedAt": self.created,
            "createdAt": self.created,
            "finishedAt": self.finished,
            "targetServiceRevisionArn": self.revision(self.target),
            "status": self.status,
            "statusReason": self.reason,
        }
        return {name: value for name, value in said.items() if value not in (None, "")}

    def shown(self, desired: int) -> dict[str, Any]:
        """As DescribeServiceDeployments has it; `desired` is the service's."""
        said = self.brief()
        said.pop("targetServiceRevisionArn")
        breaker, threshold = breaker_of(self.configuration), breaker_threshold(desired, self.configuration)
        state = "DISABLED" if not breaker.enabled else "MONITORING" if self.open else "MONITORING_COMPLETE"
        triggered = breaker.enabled and "circuit breaker" in self.reason + self.why_back
        said |= {
            "updatedAt": self.updated,
            "stoppedAt": self.stopped,
            "sourceServiceRevisions": [self._summary(one, 100.0 - self.shifted) for one in self.sources],
            "targetServiceRevision": self._summary(self.target, self.shifted, test=100.0 if self.tested else 0.0),
            "lifecycleStage": self.stage if self.open else "",
            "lifecycleHookDetails": [hook.shown() for hook in self.hooks],
            "deploymentConfiguration": self.configuration,
            "deploymentCircuitBreaker": {
                "status": "TRIGGERED" if triggered else state,
                "failureCount": self.target.failed_tasks,
                "threshold": threshold,
            },
        }
        if self.back is not None:
            back = {
                "reason": self.why_back,
                "startedAt": self.back_since,
                "serviceRevisionArn": self.revision(self.back),
            }
            said["rollback"] = back
        return {name: value for name, value in said.items() if value not in (None, "", [])}

    def revision(self, deployment: DeploymentRecord) -> str:
        """The ARN of the service revision that the deployment brings."""
        return self._arn("service-revision", deployment.id.rpartition("/")[2])

    def _summary(self, one: DeploymentRecord, production: float, test: float | None = None) -> dict[str, Any]:
        return {
            "arn": self.revision(one),
            "requestedTaskCount": one.desired_count,
            "runningTaskCount": one.running_count,
            "pendingTaskCount": one.pending_count,
            "requestedProductionTrafficWeight": production,
            "requestedTestTrafficWeight": 100.0 - (100.0 if self.tested else 0.0) if test is None else test,
        }

    def _arn(self, kind: str, name: str) -> str:
        return f"arn:{PARTITION}:ecs:{self.region}:{ACCOUNT}:{kind}/{self.cluster}/{self.service}/{name}"
