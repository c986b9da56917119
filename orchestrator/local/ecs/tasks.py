"""One ECS task on Fargate: from PROVISIONING to STOPPED, in AWS's sizes of time, on a thread of its own.

The moto `Task` is what the API shows; the `RunningTask` is what lives. Left out: EC2 capacity (everything runs as on
Fargate), stop time-outs per container.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from moto.ec2.models import ec2_backends
from moto.ecs.models import TaskDefinition

from orchestrator.local.core.cloud import ACCOUNT, Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.ec2 import reach
from orchestrator.local.ec2.subnet import NO_ADDRESS
from orchestrator.local.ecs import container_health, launch
from orchestrator.local.ecs.model import LivingTask, execution_role
from orchestrator.local.elb import target_groups

PROVISIONING, PULLING, STOPPING, DEPROVISIONING = 10.0, 30.0, 10.0, 5.0
FAILING_PULL = 10.0
STUCK_FOR = timedelta(minutes=20)
"""For how long a task that is stuck seems to have been pending."""
BY_HAND = "UserInitiated"
STOPPED_FOR_A_FAULT = "Stopped by hand"
"""The reason given for the tasks that a fault stops when it is switched on: no task comes unstuck by that."""
WORKER = "-background"
"""How the name of the service ends that no load balancer leads to."""
UNSTUCK: set[str] = set()
"""Groups of which a stuck task was stopped by hand: those that start after it are not stuck, while the fault is on."""


class ContainerExit(Exception):
    """A container's process ended by itself."""

    def __init__(self, container: str, code: int, reason: str = "") -> None:
        super().__init__(container, code, reason)
        self.container = container
        self.code = code
        self.reason = reason


class Application(Protocol):
    """What runs in the containers of a task."""

    def run(self) -> Iterator[float]:
        """Work, yielding AWS's seconds to wait before going on; raises ContainerExit. Never ends otherwise."""

    def answer(self, port: int, host: str, path: str) -> tuple[int, str] | None:
        """HTTP status and body, or None: nothing listens on that port."""

    def close(self) -> None:
        """Let go of what it holds open."""


@dataclass(frozen=True, slots=True)
class TaskStop:
    """Why a task ends, as DescribeTasks will say it."""

    code: str
    reason: str
    failed: bool = False
    drain: bool = True
    """Whether connections are drained first: a crashed task has none left."""


WENT_DOWN = TaskStop("ServiceSchedulerInitiated", "The local cloud went down")
NO_INTERFACE = "Unexpected EC2 error while attempting to Create Network Interface in subnet '{subnet}': {code}"
"""In ECS's words (developer guide, "Stopped tasks error messages")."""
BROKE = TaskStop(
    "TaskFailedToStart", "The local cloud could not run the task: its log says why", failed=True, drain=False
)


@dataclass(frozen=True, slots=True)
class Binding:
    """A target group that the task's containers are registered in."""

    target_group: str
    port: int


Build = Callable[[dict[str, dict[str, str]]], Application]
"""The containers' environments → what runs in them."""
Applications = Callable[[Cloud, LivingTask, TaskDefinition], Build]
"""What runs in the tasks of a cloud: the scheduler knows nothing of it."""


class RunningTask:
    """Drives a moto task. `start()` it once; it ends by `stop()`, by its own death, or with the cloud."""

    def __init__(
        self,
        cloud: Cloud,
        task: LivingTask,
        definition: TaskDefinition,
        build: Build,
        *,
        bindings: Sequence[Binding] = (),
        note: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.cloud = cloud
        self.task = task
        self.definition = definition
        self.bindings = tuple(bindings)
        self.ip = private_ip(task)
        self.stopped_for: TaskStop | None = None
        self.started_monotonic = 0.0
        self.ended_monotonic = 0.0
        self.reaped = False
        self.accounted = False
        """Set by the scheduler: it has seen the end, and counted it."""
        self._note = note
        self._build = build
        self._application: Application | None = None
        self._checks = container_health.checks_of(definition.container_definitions)
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._live, name=f"task-{task.id[:8]}", daemon=True)

    def start(self) -> None:
        """Begin with PROVISIONING."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the thread is over (after the cloud's pace was stopped)."""
        self._wake.set()
        self._thread.join(timeout=10)

    def stop(self, stop: TaskStop) -> None:
        """Ask the task to end. The first reason wins."""
        if self.stopped_for is None:
            self.stopped_for = stop
            self.task.desired_status = "STOPPED"
            self._wake.set()

    @property
    def ended(self) -> bool:
        """Whether it is STOPPED."""
        return self.ended_monotonic > 0

    @property
    def alive(self) -> bool:
        """Whether nobody has asked it to stop and it has not died."""
        return self.stopped_for is None and not self.ended

    @property
    def running(self) -> bool:
        """Whether it is alive and RUNNING."""
        return self.alive and self.task.last_status == "RUNNING"

    def answer(self, port: int, host: str, path: str) -> tuple[int, str] | None:
        """What the task says to a request, or None: nothing listens."""
        application = self._application
        return application.answer(port, host, path) if application and self.task.startedAt else None

    @property
    def fit(self) -> bool:
        """Whether its containers' own checks, where it has any, found it healthy."""
        essential = any(check.essential for check in self._checks)
        return not essential or self.task.healthStatus == container_health.HEALTHY

    def check_containers(self) -> None:
        """Make the containers' checks that are due."""
        if not self._checks or not self.running or not self.started_monotonic:
            return
        elapsed = (Pace.monotonic() - self.started_monotonic) * self.cloud.pace.speed
        shown = {container["name"]: container for container in self.task.containers}
        for check in self._checks:
            check.look(elapsed, self._status)
            shown[check.container]["healthStatus"] = check.state
        self.task.healthStatus = container_health.of_task(self._checks)

    def _status(self, port: int, path: str) -> int | None:
        answered = self.answer(port, "localhost", path)
        return answered[0] if answered else None

    def _live(self) -> None:
        try:
            self._launch()
            self._run()
        except launch.LaunchFailed as error:
            self._blame(error)
            self.stop(TaskStop("TaskFailedToStart", error.reason, failed=True, drain=False))
        except ContainerExit as exit_:
            self._mark(exit_)
            self.stop(
                TaskStop("EssentialContainerExited", "Essential container in task exited", failed=True, drain=False)
            )
        finally:
            self._end()

    def _launch(self) -> None:
        task, containers = self.task, self.definition.container_definitions
        if not self._wait(PROVISIONING):
            return
        if task.attachments and not self.ip:
            raise launch.LaunchFailed(NO_INTERFACE.format(subnet=_detail(task, "subnetId"), code=NO_ADDRESS))
        task.last_status = "PENDING"
        if self._is_stuck() and not self._come_unstuck():
            return
        role = execution_role(self.definition)
        launch.require_way_out(containers, leads_out=reach.leads_out(task))
        environments = launch.environments(containers, role, task.id, task.region_name)
        launch.open_logs(containers, role, task.id, task.region_name)
        task.pullStartedAt = Pace.now()
        self._pull(containers)
        task.pullStoppedAt = Pace.now()
        self._application = self._build(environments)

    def _is_stuck(self) -> bool:
        return fault_is_on(self.cloud, "stuck-pending", self.task.group) and self.task.group not in UNSTUCK

    def _come_unstuck(self) -> bool:
        """Wait until the fault is cleared, as if somebody had looked on for a while already. False: it was stopped."""
        self.task.createdAt -= STUCK_FOR
        while fault_is_on(self.cloud, "stuck-pending", self.task.group):
            if not self._wait(PROVISIONING):
                stop = self.stopped_for
                if stop is not None and stop.code == BY_HAND and stop.reason != STOPPED_FOR_A_FAULT:
                    UNSTUCK.add(self.task.group)
                return False
        return True

    def _pull(self, containers: Sequence[launch.Definition]) -> None:
        answers = {"image-pull": launch.NOT_FOUND, "registry-rate-limit": launch.RATE_LIMIT}
        troubles = [text for name, text in answers.items() if fault_is_on(self.cloud, name, self.task.group)]
        try:
            launch.check_images(containers, trouble=next(iter(troubles), ""))
        except launch.LaunchFailed:
            self._wait(FAILING_PULL)
            raise
        self._wait(PULLING)

    def _run(self) -> None:
        if self._application is None or not self.alive or self.cloud.pace.stopped:
            return
        for container in self.task.containers:
            container["lastStatus"] = "RUNNING"
        self.started_monotonic = Pace.monotonic()
        self.task.startedAt = Pace.now()
        self.task.last_status = "RUNNING"
        self._register()
        for seconds in self._application.run():
            if not self._wait(seconds):
                return

    def _register(self) -> None:
        for binding in self.bindings:
            if target_groups.register(binding.target_group, self.ip, binding.port):
                self._note(f"registered 1 targets in (target-group {binding.target_group})")

    def _end(self) -> None:
        """Deregister, drain, stop the containers, give the network interface back."""
        stop = self.stopped_for = self.stopped_for or (WENT_DOWN if self.cloud.pace.stopped else BROKE)
        task = self.task
        task.desired_status, task.stopCode, task.stoppedReason = "STOPPED", stop.code, stop.reason
        task.last_status = "DEACTIVATING"
        drain = self._deregister()
        self.cloud.pace.sleep(drain if stop.drain else 0)
        task.last_status, task.stoppingAt = "STOPPING", Pace.now()
        self.cloud.pace.sleep(STOPPING)
        self._close()
        for container in task.containers:
            if container["lastStatus"] == "RUNNING":
                container["exitCode"] = 0
            container["lastStatus"] = "STOPPED"
        task.executionStoppedAt, task.last_status = Pace.now(), "DEPROVISIONING"
        self.cloud.pace.sleep(DEPROVISIONING)
        _release_interface(task)
        task.stoppedAt, task.last_status = Pace.now(), "STOPPED"
        self.ended_monotonic = Pace.monotonic()

    def _deregister(self) -> float:
        delays = [target_groups.deregister(binding.target_group, self.ip) for binding in self.bindings]
        if any(delays):
            self._note("has begun draining connections on 1 tasks.")
            for binding in self.bindings:
                self._note(f"deregistered 1 targets in (target-group {binding.target_group})")
        return max(delays, default=0.0)

    def _wait(self, seconds: float) -> bool:
        """False: the task has been asked to stop, or the cloud goes down."""
        self._wake.wait(self.cloud.pace.scaled(seconds))
        return self.stopped_for is None and not self.cloud.pace.stopped

    def _close(self) -> None:
        application, self._application = self._application, None
        if application is not None:
            application.close()

    def _mark(self, exit_: ContainerExit) -> None:
        self._close()
        for container in self.task.containers:
            if container["name"] == exit_.container:
                container["lastStatus"], container["exitCode"] = "STOPPED", exit_.code
                if exit_.reason:
                    container["reason"] = exit_.reason

    def _blame(self, error: launch.LaunchFailed) -> None:
        for container in self.task.containers:
            if container["name"] == error.container:
                container["reason"] = error.reason


def fault_is_on(cloud: Cloud, name: str, group: str) -> bool:
    """Whether the fault is on for the tenant of a task group such as `service:customer-a-prod-service`."""
    return any(fault == name and is_tenants(tenant, group) for fault, tenant in cloud.faults.all())


def is_tenants(tenant: str, name: str) -> bool:
    """Whether a service, group or family is the tenant's: the tenant's name is in it as whole words.

    `customer-a` owns `service:customer-a-prod-service`, not `customer-ab-prod-service`. No tenant means: everyone's. A
    service without a load balancer is meant only where it is named itself (`customer-a-prod-background`).
    """
    if tenant and name.endswith(WORKER) and not tenant.endswith(WORKER):
        return False
    bounded = f"-{name.replace(':', '-').replace('/', '-')}-"
    return not tenant or f"-{tenant}-" in bounded


def private_ip(task: LivingTask) -> str:
    """The address of the task's network interface (empty: none)."""
    return _detail(task, "privateIPv4Address")


def _detail(task: LivingTask, name: str) -> str:
    details = [pair for attached in task.attachments for pair in attached["details"]]
    return next((str(pair["value"]) for pair in details if pair["name"] == name), "")


def _release_interface(task: LivingTask) -> None:
    enis = ec2_backends[ACCOUNT][task.region_name].enis
    enis.pop(_detail(task, "networkInterfaceId"), None)
    for attachment in task.attachments:
        attachment["status"] = "DELETED"
