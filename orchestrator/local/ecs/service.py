"""One ECS service looked at once: what to launch, what to stop, what to say. Called under the scheduler's lock."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from moto.ecs.models import EC2ContainerServiceBackend, Task

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs import rollout, task_sets
from orchestrator.local.ecs.model import LivingService, LivingTask
from orchestrator.local.ecs.moto import deploy, new_deployment
from orchestrator.local.ecs.rollout import DeploymentRecord, TaskCounts
from orchestrator.local.ecs.tasks import Applications, Binding, RunningTask, TaskStop, fault_is_on
from orchestrator.local.elb.target_groups import TargetRecord, find_group, find_record

NO_ROOM_DELAY = 30.0
"""Seconds until ECS tries again to place a task."""
NO_ROOM = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
    "different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer "
    "Guide."
)
THROTTLED = (
    "is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the "
    "Amazon ECS Developer Guide."
)


class ServiceKeeper:
    """Keeps one service true. Not thread-safe: the scheduler calls it."""

    def __init__(
        self,
        cloud: Cloud,
        backend: EC2ContainerServiceBackend,
        service: LivingService,
        run: Callable[[RunningTask], None],
        application: Applications,
    ) -> None:
        self._cloud = cloud
        self._backend = backend
        self._service = service
        self._run = run
        self._application = application
        self._steady = False

    def look(self, tasks: Sequence[RunningTask]) -> None:
        """Bring the service one step closer to what is asked of it."""
        self._reap(tasks)
        if not self._service.deployments:
            return
        self._stop_sick(tasks)
        primary = self._service.deployments[0]
        self._launch(primary, tasks)
        self._retire(primary, tasks)
        self._count(tasks)
        self._settle(primary, tasks)

    def _reap(self, tasks: Sequence[RunningTask]) -> None:
        """Account for tasks that died: once each, at the moment they stop being RUNNING."""
        for running in tasks:
            deployment = self._deployment(running)
            if running.running and deployment:
                deployment.not_started_in_a_row = 0
            if running.stopped_for and not running.accounted:
                running.accounted = True
                if running.stopped_for.failed and deployment:
                    self._blame(deployment, running)
            running.reaped = running.ended

    def _blame(self, deployment: DeploymentRecord, running: RunningTask) -> None:
        self._steady = False
        if not running.started_monotonic:
            deployment.not_started_in_a_row += 1
            delay = rollout.launch_delay(deployment.not_started_in_a_row)
            deployment.next_launch = Pace.monotonic() + self._cloud.pace.scaled(delay)
            if delay:
                self._note(THROTTLED)
        if deployment.rollout_state != "IN_PROGRESS":
            return
        deployment.failed_tasks += 1
        deployment.updated_at = Pace.now()
        breaker = rollout.breaker_of(self._service.deploymentConfiguration)
        enough = deployment.failed_tasks >= rollout.breaker_threshold(self._service.desired_count)
        if breaker.enabled and enough and deployment.status == "PRIMARY":
            self._break(deployment, rollback=breaker.rollback)

    def _break(self, deployment: DeploymentRecord, *, rollback: bool) -> None:
        deployment.become("FAILED", "ECS deployment circuit breaker: tasks failed to start.")
        deployment.desired_count = 0
        self._note(f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
        good = next((older for older in self._service.deployments[1:] if older.rollout_state == "COMPLETED"), None)
        if rollback and good is not None:
            self._service.task_definition = good.task_definition
            back = new_deployment(self._service, good.task_definition)
            back.rollout_state_reason = f"ECS deployment circuit breaker: rolling back to deploymentId {good.id}."
            deploy(self._service, back)
            self._note(f"rolling back to (deployment {good.id}).")

    def _stop_sick(self, tasks: Sequence[RunningTask]) -> None:
        """A task whose target is unhealthy after the grace period is replaced; it counts as failed."""
        grace = self._cloud.pace.scaled(float(getattr(self._service, "healthCheckGracePeriodSeconds", 0) or 0))
        for running in tasks:
            if not running.running or Pace.monotonic() < running.started_monotonic + grace:
                continue
            for binding, record in self._records(running):
                if record is not None and record.health.state == "unhealthy":
                    where = f"(target-group {binding.target_group})"
                    self._note(
                        f"(task {running.task.id}) (port {binding.port}) is unhealthy in {where} due to "
                        f"(reason {record.health.description})"
                    )
                    reason = f"Task failed ELB health checks in {where}"
                    running.stop(TaskStop("ServiceSchedulerInitiated", reason, failed=True))

    def _launch(self, primary: DeploymentRecord, tasks: Sequence[RunningTask]) -> None:
        if primary.rollout_state == "FAILED" or Pace.monotonic() < primary.next_launch:
            return
        no_room = fault_is_on(self._cloud, "no-capacity", self._service.name)
        alive = [running for running in tasks if running.alive]
        ours = sum(running.task.started_by == primary.id for running in alive)
        number = rollout.to_launch(
            desired=self._service.desired_count,
            maximum_percent=int(self._service.deploymentConfiguration.get("maximumPercent", 200)),
            ours=ours,
            alive=len(alive),
        )
        if number and no_room:
            primary.next_launch = Pace.monotonic() + self._cloud.pace.scaled(NO_ROOM_DELAY)
            self._note(NO_ROOM)
            return
        launched = [self._launch_one(primary) for _ in range(number)]
        if launched:
            named = " ".join(f"(task {identity})" for identity in launched)
            self._note(f"has started {len(launched)} tasks: {named}.")

    def _launch_one(self, primary: DeploymentRecord) -> str:
        service, backend = self._service, self._backend
        definition = backend.describe_task_definition(primary.task_definition)
        network = dict((service.network_configuration or {}).get("awsvpcConfiguration") or {})
        network.setdefault("securityGroups", [])
        born = Task(
            cluster=backend.clusters[service.cluster_name],
            task_definition=definition,
            container_instance_arn=None,
            resource_requirements=None,
            backend=backend,
            group=f"service:{service.name}",
            launch_type=service.launch_type or "FARGATE",
            started_by=primary.id,
            networking_configuration={"awsvpcConfiguration": network},
            platform_version="1.4.0",
        )
        task = cast(LivingTask, born)
        task.enableExecuteCommand = service.enableExecuteCommand
        backend.tasks.setdefault(service.cluster_name, {})[task.task_arn] = born
        build = self._application(self._cloud, task, definition)
        bindings = [
            Binding(balancer["targetGroupArn"], int(balancer["containerPort"]))
            for balancer in service.load_balancers
            if balancer.get("targetGroupArn")
        ]
        self._run(RunningTask(self._cloud, task, definition, build, bindings=bindings, note=self._note))
        return str(task.id)

    def _retire(self, primary: DeploymentRecord, tasks: Sequence[RunningTask]) -> None:
        """Stop tasks beyond the desired count, and older deployments' as far as enough healthy ones stay."""
        alive = [running for running in tasks if running.alive]
        ours = [running for running in alive if running.task.started_by == primary.id]
        desired = self._service.desired_count
        self._scale_in(primary, sorted(ours, key=self._is_healthy, reverse=True)[desired:])
        old = [running for running in alive if running.task.started_by != primary.id]
        if primary.rollout_state == "FAILED" and desired:
            return
        old.sort(key=self._is_healthy)
        healthy_old = sum(map(self._is_healthy, old))
        number = rollout.to_retire(
            desired=desired,
            minimum_percent=int(self._service.deploymentConfiguration.get("minimumHealthyPercent", 100)),
            healthy_ours=sum(map(self._is_healthy, ours[:desired])),
            healthy_old=healthy_old,
            sick_old=len(old) - healthy_old,
        )
        self._scale_in(primary, old[:number])

    def _scale_in(self, primary: DeploymentRecord, surplus: Sequence[RunningTask]) -> None:
        for running in surplus:
            reason = f"Scaling activity initiated by (deployment {primary.id})"
            running.stop(TaskStop("ServiceSchedulerInitiated", reason))
        if surplus:
            named = " ".join(f"(task {running.task.id})" for running in surplus)
            self._note(f"has stopped {len(surplus)} running tasks: {named}.")

    def _count(self, tasks: Sequence[RunningTask]) -> None:
        service, alive = self._service, [running for running in tasks if running.alive]
        for deployment in service.deployments:
            own = [running for running in alive if running.task.started_by == deployment.id]
            deployment.running_count = sum(running.running for running in own)
            deployment.pending_count = len(own) - deployment.running_count
        service.running_count = sum(deployment.running_count for deployment in service.deployments)
        service.pending_count = sum(deployment.pending_count for deployment in service.deployments)

    def _settle(self, primary: DeploymentRecord, tasks: Sequence[RunningTask]) -> None:
        """Forget older deployments whose tasks are gone; say when a rollout is complete and the service steady."""
        service = self._service
        left = {running.task.started_by for running in tasks if not running.ended}
        alive = {running.task.started_by for running in tasks if running.alive}
        service.deployments = [d for d in service.deployments if d is primary or d.id in left]
        for older in service.deployments[1:]:
            older.desired_count = 0 if primary.rollout_state != "FAILED" else older.running_count
            older.status = "ACTIVE" if older.id in alive else "DRAINING"
        if service.status == "DRAINING":
            if not left:
                service.status, service.deployments = "INACTIVE", []
            return
        complete = rollout.is_complete(service.desired_count, self._counts(primary, tasks))
        if complete and primary.rollout_state == "IN_PROGRESS":
            primary.become("COMPLETED", f"ECS deployment {primary.id} completed.")
            if not self._service.task_sets:
                self._note(f"(deployment {primary.id}) deployment completed.")
        if complete and not self._steady and len(service.deployments) == 1:
            self._note("has reached a steady state.")
        self._steady = complete and len(service.deployments) == 1

    def _counts(self, primary: DeploymentRecord, tasks: Sequence[RunningTask]) -> TaskCounts:
        ours = [running for running in tasks if running.running and running.task.started_by == primary.id]
        return TaskCounts(
            running=len(ours),
            pending=primary.pending_count,
            healthy=sum(map(self._is_healthy, ours)),
            others=sum(older.running_count + older.pending_count for older in self._service.deployments[1:]),
        )

    def _is_healthy(self, running: RunningTask) -> bool:
        return running.running and all(
            record is not None and record.health.state == "healthy" for _, record in self._records(running)
        )

    def _records(self, running: RunningTask) -> list[tuple[Binding, TargetRecord | None]]:
        return [(binding, find_record(find_group(binding.target_group), running.ip)) for binding in running.bindings]

    def _deployment(self, running: RunningTask) -> DeploymentRecord | None:
        return next((d for d in self._service.deployments if d.id == running.task.started_by), None)

    def _note(self, text: str) -> None:
        """An event of the service, newest first, 100 kept."""
        event: dict[str, Any] = {
            "id": str(uuid.uuid4()),
            "createdAt": Pace.now(),
            "message": f"(service {task_sets.spoken_of(self._service, text)}) {text}",
        }
        with rollout.LOCK:  # tasks say things from their own threads
            self._service.events = [event, *self._service.events][: rollout.EVENTS_KEPT]
