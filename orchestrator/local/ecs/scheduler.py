"""ECS's service scheduler: keeps the desired count, rolls deployments out, breaks circuits, replaces the sick.

One thread looks at every service at a small interval; each task lives on its own thread (tasks.py). The rules are pure
functions of rollout.py, autoscaling is autoscaler.py's. Left out: placement and zone rebalancing, replacement of tasks
of a deployment that is no longer PRIMARY.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.elbv2.models import FakeTargetGroup

from orchestrator.local.core.cloud import ACCOUNT, BalancerTarget, Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.ec2 import reach
from orchestrator.local.ecs.model import LivingService, services_of, tasks_of
from orchestrator.local.ecs.rollout import LOCK
from orchestrator.local.ecs.service import ServiceKeeper
from orchestrator.local.ecs.tasks import Applications, RunningTask, TaskStop
from orchestrator.local.elb.target_groups import TargetGroups, find_group, records

LOOK_EVERY = 1.0
SHORTEST_LOOK = 0.06
"""Real seconds, so that dozens of services cost little at any speed."""
STOPPED_KEPT = 3600.0
"""Seconds a stopped task stays visible."""


class Scheduler:
    """All services and tasks of the account."""

    def __init__(self, cloud: Cloud, application: Applications) -> None:
        self.cloud = cloud
        self._application = application
        self.tasks: dict[str, RunningTask] = {}
        self._groups = TargetGroups(cloud.pace)
        self._keepers: dict[int, ServiceKeeper] = {}
        self._complaints: dict[str, str] = {}
        self._thread = threading.Thread(target=self._loop, name="ecs-scheduler", daemon=True)

    def start(self) -> None:
        """Begin looking."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for the thread and the tasks to end; the cloud's pace is stopped already, or is stopped here."""
        self.cloud.pace.stop()
        self._thread.join(timeout=10)
        for task in list(self.tasks.values()):
            task.join()

    def targets(self, target_group_arn: str) -> list[BalancerTarget]:
        """What the load balancer may send requests to, and how each answers."""
        group = find_group(target_group_arn)
        by_ip = {task.ip: task for task in list(self.tasks.values()) if not task.ended}
        return [
            BalancerTarget(record.ip, record.port, record.health.state, _answer(by_ip.get(record.ip), record.port))
            for record in (records(group) if group else [])
        ]

    def _loop(self) -> None:
        pause = max(SHORTEST_LOOK, self.cloud.pace.scaled(LOOK_EVERY))
        while not self.cloud.pace.stopped:
            self._safely("health checks", partial(self._groups.check, self._probe))
            for running in list(self.tasks.values()):
                self._safely("container health checks", running.check_containers)
            for backend in list(ecs_backends[ACCOUNT].values()):
                self._safely("tasks", partial(self._adopt, backend))
                by_group = self._by_group()
                for service in services_of(backend):
                    if service.status != "INACTIVE":
                        mine = by_group.get(f"service:{service.name}", [])
                        self._safely(service.name, partial(self._look, backend, service, mine))
                self._count(backend)
                self._forget(backend)
            self.cloud.pace.sleep(pause * self.cloud.pace.speed)

    def _look(self, backend: EC2ContainerServiceBackend, service: LivingService, tasks: list[RunningTask]) -> None:
        with LOCK:
            ids = {deployment.id for deployment in service.deployments}
            mine = [running for running in tasks if running.task.started_by in ids and not running.reaped]
            self._keeper(backend, service).look(mine)

    def _safely(self, what: str, action: Callable[[], None]) -> None:
        """One broken service must not stop every other one; the log says it once."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - whatever it is, the others go on
            text = f"ecs scheduler: {what}: {error!r}"
            if self._complaints.get(what) != text:
                self.cloud.log(text)
            self._complaints[what] = text

    def _keeper(self, backend: EC2ContainerServiceBackend, service: LivingService) -> ServiceKeeper:
        if id(service) not in self._keepers:
            self._keepers[id(service)] = ServiceKeeper(self.cloud, backend, service, self._run, self._application)
        return self._keepers[id(service)]

    def _by_group(self) -> dict[str, list[RunningTask]]:
        """Once for all services of a pass: each would search all tasks."""
        found: dict[str, list[RunningTask]] = {}
        for running in list(self.tasks.values()):
            found.setdefault(running.task.group, []).append(running)
        return found

    def _run(self, running: RunningTask) -> None:
        self.tasks[running.task.id] = running
        running.task.stopper = lambda code, reason: running.stop(TaskStop(code, reason))
        running.start()

    def _adopt(self, backend: EC2ContainerServiceBackend) -> None:
        """Tasks that were started by RunTask live too."""
        for task in tasks_of(backend):
            if task.id not in self.tasks:
                definition = backend.describe_task_definition(task.task_definition_arn)
                self._run(RunningTask(self.cloud, task, definition, self._application(self.cloud, task, definition)))

    def _probe(self, group: FakeTargetGroup, ip: str, port: int, path: str) -> int | None:
        """What the load balancer hears, if the security groups let it ask."""
        running = next((task for task in list(self.tasks.values()) if task.ip == ip and not task.ended), None)
        if running is None:
            return None
        place = reach.task(running.task, ip)
        if not reach.may_connect(running.task.region_name, reach.load_balancer(group), place, port):
            return None
        answer = running.answer(port, ip, path)
        return answer[0] if answer else None

    def _count(self, backend: EC2ContainerServiceBackend) -> None:
        for cluster in list(backend.clusters.values()):
            tasks = tasks_of(backend, cluster.name)
            services = [s for s in services_of(backend) if s.cluster_name == cluster.name]
            cluster.running_tasks_count = sum(task.last_status == "RUNNING" for task in tasks)
            cluster.pending_tasks_count = sum(task.last_status in {"PROVISIONING", "PENDING"} for task in tasks)
            cluster.active_services_count = sum(service.status != "INACTIVE" for service in services)

    def _forget(self, backend: EC2ContainerServiceBackend) -> None:
        oldest = Pace.monotonic() - self.cloud.pace.scaled(STOPPED_KEPT)
        for task in tasks_of(backend):
            running = self.tasks.get(task.id)
            if running is not None and running.ended and running.ended_monotonic < oldest:
                backend.tasks[task.cluster_name].pop(task.task_arn, None)
                self.tasks.pop(task.id, None)


def start(cloud: Cloud, application: Applications) -> Callable[[], None]:
    """Tasks live from now on, with this in their containers. Returns the function that ends them."""
    scheduler = Scheduler(cloud, application)
    cloud.targets = scheduler.targets
    scheduler.start()
    return scheduler.stop


def _answer(task: RunningTask | None, port: int) -> Callable[[str, str], tuple[int, str]]:
    def answer(host: str, path: str) -> tuple[int, str]:
        said = task.answer(port, host, path) if task else None
        return said or (502, "<html><head><title>502 Bad Gateway</title></head></html>")

    return answer
