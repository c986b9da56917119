"""What a run remembers of its tenants' services: what it saw of them, and what it did to them.

One value, read and replaced as a whole. The threads that look at services are given parts of it and give new ones back;
the thread of the step that asked puts them in. Nothing here outlives the run.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from orchestrator.aws.ecs import Service
from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.rollout.remembered import Remembered


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What happened to one tenant's service in this run: the deployments seen, and what was done."""

    asked_about: str = ""
    """The deployment that was PRIMARY when it was first asked whether to redeploy."""
    earlier: frozenset[str] | None = None
    """The deployments seen before this run caused one: a late read may still show them. None: nobody had looked."""
    newest: str = ""
    """The deployment that was PRIMARY at the last look."""
    since: datetime | None = None
    """Since when it was seen to be."""
    caused: str | None = None
    """The deployment that this run caused last, as UpdateService named it; None: it caused none."""
    database_recreated: datetime | None = None
    """When its database was recreated while waiting, once in a run; None: it was not."""
    scaled_to: int | None = None
    """The tasks that this run asked for, of a service that was at 0."""
    stopped: bool = False
    """Whether this run had ECS go back to what ran before."""

    def having_seen(self, service: Service, now: datetime | None) -> ServiceHistory:
        """With the deployments that are shown; `now` where it counts since when."""
        primary = service.primary
        if primary is None:
            return self
        seen = self
        if self.caused is None:
            shown = frozenset(one.id for one in service.deployments)
            seen = replace(seen, earlier=(self.earlier or frozenset()) | shown)
        if now is not None and self.newest != primary.id:
            seen = replace(seen, newest=primary.id, since=now)
        return seen

    def having_asked(self, service: Service) -> ServiceHistory:
        """With its PRIMARY as the one that was found, if it was not asked before."""
        primary = service.primary
        return replace(self, asked_about=primary.id) if primary and not self.asked_about else self

    def having_caused(self, deployment: str) -> ServiceHistory:
        """With this deployment as ours; one that we caused before is one of the earlier ones."""
        if self.caused is None:
            return replace(self, caused=deployment)
        return replace(self, caused=deployment, earlier=(self.earlier or frozenset()) | {self.caused})


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything that a run remembers of services, at one moment."""

    services: Mapping[str, Remembered] = field(default_factory=dict)
    """Tenant → what earlier looks found."""
    histories: Mapping[str, ServiceHistory] = field(default_factory=dict)
    """Tenant → what became of its service."""
    checks: Mapping[str, HealthCheck] = field(default_factory=dict)
    """Target group → its health check."""

    def history(self, tenant: str) -> ServiceHistory:
        """The tenant's; of one that nothing is known of, an empty one."""
        return self.histories.get(tenant, ServiceHistory())

    @property
    def caused(self) -> Mapping[str, str]:
        """Tenant → the deployment that this run caused last."""
        return {tenant: one.caused for tenant, one in self.histories.items() if one.caused is not None}

    @property
    def asked_about(self) -> Mapping[str, str]:
        """Tenant → the deployment that was PRIMARY when it was first asked whether to redeploy."""
        return {tenant: one.asked_about for tenant, one in self.histories.items() if one.asked_about}

    @property
    def earlier(self) -> Mapping[str, frozenset[str]]:
        """Tenant → the deployments seen before this run caused one."""
        return {tenant: one.earlier for tenant, one in self.histories.items() if one.earlier is not None}

    def with_services(self, looked: Mapping[str, Remembered]) -> Memory:
        """With what these looks found."""
        return replace(self, services={**self.services, **looked})

    def with_checks(self, checks: Mapping[str, HealthCheck]) -> Memory:
        """With these health checks."""
        return replace(self, checks={**self.checks, **checks})

    def having_seen(self, services: Mapping[str, Service], now: datetime | None = None) -> Memory:
        """With what is shown of each tenant's; `now` where it counts since when."""
        seen = {tenant: self.history(tenant).having_seen(service, now) for tenant, service in services.items()}
        return replace(self, histories={**self.histories, **seen})

    def having_asked(self, services: Mapping[str, Service]) -> Memory:
        """With the PRIMARY of each as the one that was found, of those that were not asked about before."""
        asked = {tenant: self.history(tenant).having_asked(service) for tenant, service in services.items()}
        return replace(self, histories={**self.histories, **asked})

    def changing(self, tenant: str, change: Callable[[ServiceHistory], ServiceHistory]) -> Memory:
        """With the tenant's history changed."""
        return replace(self, histories={**self.histories, tenant: change(self.history(tenant))})

    def afresh(self) -> Memory:
        """What a look for itself knows of it: which deployments are this run's, nothing of what was seen."""
        return Memory(histories={tenant: ServiceHistory(caused=caused) for tenant, caused in self.caused.items()})


@dataclass(slots=True)
class RunMemory:
    """Where a run's `Memory` is. What was read of it never changes; what replaces it is made from the present one.

    The steps that write it follow each other (`needs`). In a survey, and where one between them was left out, they work
    at the same time: so a replacement is one act, and none is lost.
    """

    value: Memory = field(default_factory=Memory)
    _updating: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def update(self, change: Callable[[Memory], Memory]) -> Memory:
        """Put `change` of the present value in its place, and give it. `change` makes no call."""
        with self._updating:
            self.value = change(self.value)
            return self.value

    def update_service(self, tenant: str, change: Callable[[ServiceHistory], ServiceHistory]) -> None:
        """Change what became of one tenant's service."""
        self.update(lambda memory: memory.changing(tenant, change))
