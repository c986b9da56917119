"""A local cloud with the example stack, what is done to it, and who looks at it: the wait and the doctor."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from orchestrator import app
from orchestrator.dns import certificates
from orchestrator.engine.check import Diagnosis, Finding
from orchestrator.engine.clock import SystemClock
from orchestrator.errors import OrchestratorError
from orchestrator.local import world
from orchestrator.local.core import api
from orchestrator.local.core.state import Running
from orchestrator.local.core.waiting import eventually
from orchestrator.local.endpoint import client
from orchestrator.local.faults import catalogue
from orchestrator.rollout.pacing import SPARSEST
from orchestrator.settings import Settings
from orchestrator.stack import contract
from orchestrator.stack.contract import Stack

SPEED = 25.0
"""A task that fails at once then lives for more than a second: longer than a look takes."""
PATIENCE = 7200 / SPEED
"""Seconds until a fault must have shown, and a cleared one must be gone: two hours of AWS's."""
PAUSE = 1.0
"""Seconds between two looks, at the most: a look is a second's work for two processes, and others work beside it."""
WAIT_LIMIT = int(5400 / SPEED)
"""Seconds that the wait is given: an hour and a half of AWS's."""
HASTE = 30.0
"""The speed of its cloud, at least, while a stack is being healed: nothing is measured then.

At 60 a machine that stands still for a second fails three health checks in a row, and tasks that were well are ended.
"""
TENANTS = ("customer-a", "customer-b")
ONYX = {"customer-b": 3}
"""The affected one has both kinds of index."""

Fault = tuple[str, str]
"""Its name and the tenant that has it; empty: the stack."""


@dataclass(frozen=True)
class Seen:
    """What the doctor said: findings, roots first."""

    findings: tuple[Finding, ...]
    calls: int

    @property
    def codes(self) -> frozenset[str]:
        return frozenset(one.code for one in self.findings)

    @property
    def first(self) -> str:
        return self.findings[0].code if self.findings else "nothing"


@dataclass
class ExampleStack:
    """One stack. AWS's settings are the process's own: a process has one example stack."""

    running: Running
    folder: Path
    stack: Stack
    contract: Mapping[str, Any] = field(default_factory=dict)
    """The same as the document that a command line reads."""
    clients: dict[str, Any] = field(default_factory=dict)
    doctors: dict[str, app.Operation] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=dict)
    """Real seconds since the trial began, by what they went into."""

    @classmethod
    def create(cls, folder: Path, speed: float = SPEED) -> ExampleStack:
        """A cloud of its own with the example stack; its certificate is issued. Not alive yet."""
        running = client.up(f"diagnose-{os.getpid()}", folder, speed=speed)
        os.environ.update(client.ask(running, "env"))
        document = world.build(api.session(os.environ), endpoint=running.endpoint, tenants=TENANTS, onyx=ONYX)
        os.environ.update(client.ask(running, "env"))  # the database's port is known by now
        example = cls(running, folder, contract.parse(document, "world"), document)
        certificate = app.Certification(
            certificates.request_of(example.stack), example.settings(), dict(os.environ), SystemClock()
        )
        certificate.run(lambda _event: None)
        return example

    def delete(self) -> None:
        """It and its cloud are gone."""
        client.down(self.folder)

    @staticmethod
    def settings(**given: str) -> Settings:
        return Settings({"poll": "0.5", **given}, dict(os.environ), Path())

    def operation(self, *only: str, **given: str) -> app.Operation:
        settings = self.settings(**{"database-transport": "direct", **given})
        return app.Operation(self.stack, app.Selection(only=only), settings, dict(os.environ), SystemClock())

    def client(self, service: str) -> Any:
        if service not in self.clients:
            make: Any = boto3.client
            self.clients[service] = make(service, endpoint_url=self.running.endpoint)
        return self.clients[service]

    @contextmanager
    def at(self, phase: str, speed: float = 0.0) -> Iterator[None]:
        """Its real seconds are counted; meanwhile the cloud's speed is no less than this one."""
        began, own = time.monotonic(), self.running.speed
        if speed > own:
            client.ask(self.running, "speed", "POST", speed=str(speed))
        try:
            yield
        finally:
            if speed > own:
                client.ask(self.running, "speed", "POST", speed=str(own))
            self.spent[phase] = self.spent.get(phase, 0.0) + time.monotonic() - began

    # What is done to it.

    def inject(self, faults: Sequence[Fault]) -> None:
        for name, tenant in faults:
            client.ask(self.running, "faults", "POST", name=name, tenant=tenant)

    def clear(self, faults: Sequence[Fault]) -> None:
        for name, tenant in reversed(faults):
            client.ask(self.running, "faults", "DELETE", name=name, tenant=tenant)

    def update(self, subject: str, **changes: Any) -> None:
        """Change a service: a tenant's name is its service behind the load balancer (`Stack.services`)."""
        service = self.stack.services[subject].service
        self.client("ecs").update_service(cluster=self.stack.cluster, service=service, **changes)

    def redeploy(self, subject: str) -> None:
        """Force a new deployment; ECS shows it by the time this ends."""
        before = self._service(subject)["deployments"][0]["id"]
        self.update(subject, forceNewDeployment=True)
        until(lambda: self._service(subject)["deployments"][0]["id"] != before)

    def repair(self) -> bool:
        """Bring it to life; whether the doctor then finds nothing."""
        with self.at("healing", HASTE):
            return self._healed()

    def _healed(self) -> bool:
        if not self.examine().findings:
            return True
        for subject in self.stack.services:
            if "FAILED" in self.rollout_states(subject):  # it never retries by itself
                self.redeploy(subject)
        self.operation(**{"step-timeouts": f"services={WAIT_LIMIT}"}).run(lambda _event: None)
        return until(lambda: not self.examine().findings)

    # Who looks at it.

    def waiting(self) -> app.Operation:
        """`run --only services`, ready to begin: its clients are made. It pauses no longer than on AWS."""
        return self.operation(
            "services", **{"step-timeouts": f"services={WAIT_LIMIT}", "poll": f"{SPARSEST / self.running.speed:.3f}"}
        )

    def examine(self, transport: str = "direct") -> Seen:
        """What `doctor` says. Its clients are kept: to make them costs more than to look."""
        if transport not in self.doctors:
            self.doctors[transport] = self.operation(**{"database-transport": transport})
        doctor = self.doctors[transport]
        before = doctor.aws.calls
        return Seen(_listed(doctor.examine()), doctor.aws.calls - before)

    def is_steady(self, subject: str) -> bool:
        """By ECS's own counts: one deployment, completed, all tasks running."""
        one = self._service(subject)
        is_whole = bool(one["runningCount"] == one["desiredCount"] and not one["pendingCount"])
        return is_whole and self.rollout_states(subject) == ["COMPLETED"]

    def rollout_states(self, subject: str) -> list[str]:
        """Of its deployments, the newest first."""
        return [each["rolloutState"] for each in self._service(subject)["deployments"]]

    def wants(self, subject: str) -> int:
        """The tasks that its service is to have."""
        return int(self._service(subject)["desiredCount"])

    def _service(self, subject: str) -> dict[str, Any]:
        name, ecs = self.stack.services[subject].service, self.client("ecs")
        found: dict[str, Any] = ecs.describe_services(cluster=self.stack.cluster, services=[name])["services"][0]
        return found

    def lifetimes(self, tenant: str, since: float) -> list[tuple[float, float]]:
        """Begin and end (seconds since the epoch, the end infinite if it goes on) of the tenant's tasks begun since."""
        ecs, service = self.client("ecs"), self.stack.tenants[tenant].service
        where = {"cluster": self.stack.cluster}
        arns = [
            arn
            for state in ("RUNNING", "STOPPED")
            for arn in ecs.list_tasks(**where, serviceName=service, desiredStatus=state)["taskArns"]
        ]
        tasks = ecs.describe_tasks(**where, tasks=arns)["tasks"] if arns else []
        spans = [
            (one["createdAt"].timestamp(), one["stoppedAt"].timestamp() if one.get("stoppedAt") else float("inf"))
            for one in tasks
        ]
        return sorted(span for span in spans if span[0] >= since)


def _listed(diagnosis: Diagnosis) -> tuple[Finding, ...]:
    return tuple(one for case in diagnosis.cases for one in (case.root, *case.consequences))


def until(fact: Callable[[], bool], patience: float = PATIENCE) -> bool:
    """Whether it came true in time."""
    return eventually(fact, patience, PAUSE)


def whom(name: str, tenant: str) -> Fault:
    """The fault for this tenant, or for the stack when it is not a tenant's."""
    return name, tenant if catalogue()[name].per_tenant else ""


def refused(action: Callable[[], None]) -> str:
    """Why the local cloud would not do it; empty: it did."""
    try:
        action()
    except OrchestratorError as error:
        return str(error)
    return ""
