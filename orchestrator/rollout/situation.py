"""What decides whether one service of a tenant is up: what was seen of it, what this run did to it, how to wait."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orchestrator.aws.ecs import Deployment, Service
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.database.model import WantedDatabase
from orchestrator.rollout.progress import Rollout


@dataclass(frozen=True, slots=True)
class Rules:
    """How a run waits. `settle`: seconds a deployment's newest task must run undisturbed before it counts as up.

    `recreates_database`: whether this run creates databases, so that one found missing while waiting is recreated.
    `wary`: seconds for which a deployment that this run did not cause must be seen to be the newest. A moment ago
    somebody (Terraform, a run that died) may have begun another one, which is not shown yet.
    `found`: seconds for which a failure from before this run must be seen to be one: whoever repaired it just now and
    deployed again may not have told us.
    """

    allow_zero: bool = False
    settle: float = 10.0
    recreates_database: bool = False
    wary: float = 0.0
    timeout: float = 1800.0
    """Seconds that the wait may take: what a log tells of a migration moves its end, so it is read in good time."""
    found: float = 0.0


@dataclass(frozen=True, slots=True)
class Situation:
    """One service's, `tenant` its subject. A deployment is *ours* when this run caused it."""

    tenant: str
    name: str
    """The service's, by the contract."""
    rollout: Rollout
    started: datetime
    """When the run began: failures before that are history."""
    now: datetime
    rules: Rules = Rules()
    ours: str | None = None
    """The deployment this run caused last; None: it caused none."""
    earlier: frozenset[str] | None = None
    """The deployments seen before it did; None: nobody had looked."""
    since: datetime | None = None
    """Since when this run sees the present deployment."""
    scaled_to: int | None = None
    """The tasks that this run asked for, of a service that was at 0."""
    database_recreated: datetime | None = None
    """When the database was recreated while waiting; None: it was not."""
    wanted: WantedDatabase | None = None
    """The database that the stack says it has."""
    check: HealthCheck | None = None
    """How its targets are checked, where that matters."""
    group: str = ""
    """The target group that its name leads to."""
    worker: bool = False
    """Whether no load balancer leads to it, and none has to: it is up when its tasks run on."""
    cluster: str = ""
    stopped: bool = False
    """Whether this run had ECS go back to what ran before."""

    @property
    def service(self) -> Service:
        """As it is shown. Raises `LookupError` when it isn't: `verdict.RULES` have answered by then."""
        if self.rollout.service is None:
            raise LookupError(self.name)
        return self.rollout.service

    @property
    def primary(self) -> Deployment:
        """The deployment that ECS works towards. Raises `LookupError` without one, as `service` does."""
        if self.rollout.primary is None:
            raise LookupError(self.name)
        return self.rollout.primary

    @property
    def counts(self) -> str:
        """Its PRIMARY deployment's tasks, in words."""
        return f"{self.primary.running}/{self.primary.desired} running"

    def seconds_since(self, then: datetime) -> float:
        """From then until now."""
        return (self.now - then).total_seconds()
