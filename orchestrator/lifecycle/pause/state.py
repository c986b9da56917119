"""Whether a stack, or some of its tenants, are paused: since when, by whom, and whether its database runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.engine.step import Subject, tenant_of
from orchestrator.lifecycle.pause.database_stopped import restarts
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp


@dataclass(frozen=True, slots=True)
class PauseState:
    """The DB instance, and by subject the count of each service that is there."""

    server: ServerState
    counts: Mapping[Subject, Count]

    @property
    def whole(self) -> Stamp | None:
        """The pause of the whole stack; None: it is not paused."""
        return Stamp.parse(self.server.tags.get(TAG, ""))

    @property
    def tenants(self) -> Mapping[Subject, PausedService]:
        """Tenants whose service a pause holds at 0: the one that their visitors come to."""
        known = {tenant: PausedService.parse(count.tags.get(TAG, "")) for tenant, count in self.counts.items()}
        return {
            tenant: memory
            for tenant, memory in known.items()
            if memory is not None and self.counts[tenant].desired == 0 and tenant_of(tenant) == tenant
        }

    def wanted(self, subject: Subject) -> int:
        """How many tasks the service has, or gets back."""
        count, memory = self.counts[subject], PausedService.parse(self.counts[subject].tags.get(TAG, ""))
        return count.desired or (memory.desired if memory else 0)

    @property
    def database_runs(self) -> bool:
        """Whether a paused stack's server was started, by RDS after seven days or by somebody."""
        stopped = self.server.status in {"stopped", "stopping"} or bool(self.server.unstoppable)
        return self.whole is not None and not stopped

    def __str__(self) -> str:
        if self.whole is None:
            names = ", ".join(
                f"{tenant} since {one.stamp.since} by {one.stamp.by}" for tenant, one in self.tenants.items()
            )
            return f"paused: {names}" if names else "not paused"
        said = f"paused since {self.whole.since} by {self.whole.by}"
        if self.database_runs:
            return f"{said}, but {self.server.instance} is {self.server.status}: RDS starts it after seven days"
        return f"{said}; RDS starts {self.server.instance} by itself at {restarts(self.server)}"
