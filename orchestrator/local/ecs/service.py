"""One ECS service looked at once: what to launch, what to stop, what to say. Called under the scheduler's lock."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from moto.ecs.models import EC2ContainerServiceBackend, Task

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs import rollout, strategy, task_sets
from orchestrator.local.ecs.model import LivingService, LivingTask
from orchestrator.local.ecs.moto import deploy, new_deployment
from orchestrator.local.ecs.rollout import DeploymentRecord, TaskCounts
from orchestrator.local.ecs.service_deployments import ServiceDeployment
from orchestrator.local.ecs.stages import BREAKER, NO_WAY_BACK, NOT_LAUNCHING, Stages, request_rollback
from orchestrator.local.ecs.tasks import Applications, Binding, RunningTask, TaskStop, fault_is_on
from orchestrator.local.elb.target_groups import TargetRecord, find_group, find_record

NO_ROOM_DELAY = 30.0
"""Seconds until ECS tries again to place a task."""
NO_ROOM = (
    "was unable to place a task. Reason: Capacity is unavailable at this time. Please try again later or in a "
    "different availability zone. For more information, see the Troubleshooting section of the Amazon ECS Developer "
    "Guide."
)
STUCK = (
    "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the "
    "minimumHealthyPercent or maximumPercent value and try again."
)
"""The developer guide's words (service event messages)."""
SAID_AGAIN = 3600.0
"""Seconds until ECS complains again of what has not changed (assumed)."""
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
        self._stages = Stages(cloud.pace, service, self._note)
        self._healthy_before: set[str] = set()

    def look(self, tasks: Sequence[RunningTask]) -> None:
        """Bring the service one step closer to what is asked of it."""
        self._reap(tasks)
        if not self._service.deployments:
            return
        self._stop_sick(tasks)
        self._forgive(tasks)
        self._go_back()
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
        limit = rollout.breaker_threshold(self._service.desired_count, self._service.deploymentConfiguration)
        enough = deployment.failed_tasks >= limit
        if breaker.enabled and enough and deployment.status == "PRIMARY":
            self._break(deployment, rollback=breaker.rollback)

    @property
    def _record(self) -> ServiceDeployment | None:
        """The service deployment that is under way; None: there is none."""
        return next((one for one in self._service.service_deployments[:1] if one.open), None)

    @property
    def _shifting(self) -> ServiceDeployment | None:
        """The native one that is under way."""
        record = self._record
        return record if record is not None and strategy.is_native(record.configuration) else None

    def _break(self, deployment: DeploymentRecord, *, rollback: bool) -> None:
        record = self._record
        if record is not None and rollback and strategy.is_native(record.configuration):
            request_rollback(record, BREAKER)
            return
        deployment.become("FAILED", "ECS deployment circuit breaker: tasks failed to start.")
        deployment.desired_count = 0
        self._note(f"(deployment {deployment.id}) deployment failed: tasks failed to start.")
        if not (rollback and self._roll_back("ECS deployment circuit breaker", BREAKER)) and record is not None:
            ended = "ROLLBACK_FAILED" if record.back else "STOPPED"
            record.become(ended, "Service deployment stopped by the circuit breaker: tasks failed to start.")

    def _go_back(self) -> None:
        """What StopServiceDeployment asked for of a rolling update."""
        record = self._record
        if record is None or strategy.is_native(record.configuration) or record.status != "ROLLBACK_REQUESTED":
            return
        record.target.become("FAILED", record.why_back)
        record.target.desired_count = 0
        self._note(f"(deployment {record.target.id}) deployment failed: {record.why_back}")
        if not self._roll_back("ECS deployment", record.why_back):
            record.become("ROLLBACK_FAILED", NO_WAY_BACK)

    def _roll_back(self, who: str, why: str) -> bool:
        """Begin a deployment of what was good before. False: nothing was."""
        good = next((older for older in self._service.deployments[1:] if older.rollout_state == "COMPLETED"), None)
        if good is None:
            return False
        self._service.task_definition = good.task_definition
        back = new_deployment(self._service, good.task_definition)
        back.rollout_state_reason = f"{who}: rolling back to deploymentId {good.id}."
        record = self._record
        deploy(self._service, back, record)
        if record is not None:
            record.back, record.back_since, record.why_back = back, Pace.now(), why
            record.become("ROLLBACK_IN_PROGRESS", why)
        self._note(f"rolling back to (deployment {good.id}).")
        return True

    def _forgive(self, tasks: Sequence[RunningTask]) -> None:
        """A task that became healthy resets the breaker's count."""
        primary = self._service.deployments[0]
        ours = [one for one in tasks if one.task.started_by == primary.id and one.task.id not in self._healthy_before]
        healthy = {one.task.id for one in ours if self._is_healthy(one)}
        self._healthy_before |= healthy
        if healthy and rollout.forgives(self._service.deploymentConfiguration):
            primary.failed_tasks = 0

    def _stop_sick(self, tasks: Sequence[RunningTask]) -> None:
        """A task whose target is unhealthy after the grace period is replaced; it counts as failed."""
        grace = self._cloud.pace.scaled(float(getattr(self._service, "healthCheckGracePeriodSeconds", 0) or 0))
        for running in tasks:
            if not running.running or Pace.monotonic() < running.started_monotonic + grace:
                continue
            if running.task.healthStatus == "UNHEALTHY":
                self._note(f"(task {running.task.id}) failed container health checks.")
                running.stop(TaskStop("ServiceSchedulerInitiated", "Task failed container health checks", failed=True))
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
        shifting = self._shifting
        if shifting is not None and shifting.status == "IN_PROGRESS" and shifting.stage in NOT_LAUNCHING:
            return
        no_room = fault_is_on(self._cloud, "no-capacity", self._service.name)
        alive = [running for running in tasks if running.alive]
        ours = sum(running.task.started_by == primary.id for running in alive)
        most = int(self._service.deploymentConfiguration.get("maximumPercent", 200))
        number = rollout.to_launch(
            desired=self._service.desired_count,
            maximum_percent=most,
            ours=ours,
            alive=ours if shifting is not None else len(alive),
        )
        if shifting is None and not number and ours < self._service.desired_count:
            self._complain(primary, most, len(alive))
        if number and no_room:
            primary.next_launch = Pace.monotonic() + self._cloud.pace.scaled(NO_ROOM_DELAY)
            self._note(NO_ROOM)
            return
        launched = [self._launch_one(primary) for _ in range(number)]
        if launched:
            named = " ".join(f"(task {identity})" for identity in launched)
            self._note(f"has started {len(launched)} tasks: {named}.")

    def _complain(self, primary: DeploymentRecord, most: int, alive: int) -> None:
        """Its configuration lets nothing happen: ECS says so, and waits."""
        least = int(self._service.deploymentConfiguration.get("minimumHealthyPercent", 100))
        wanted = self._service.desired_count
        stuck = rollout.is_stuck(desired=wanted, minimum_percent=least, maximum_percent=most, alive=alive)
        if stuck and Pace.monotonic() >= primary.next_complaint:
            primary.next_complaint = Pace.monotonic() + self._cloud.pace.scaled(SAID_AGAIN)
            self._note(STUCK)

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
            Binding(_group_of(balancer, primary.colour), int(balancer["containerPort"]))
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
        shifting = self._shifting
        if shifting is not None and desired:
            if shifting.status == "ROLLBACK_IN_PROGRESS" or shifting.stage == strategy.CLEAN_UP:
                self._scale_in(primary, old)
            return
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
            waits = primary.rollout_state == "FAILED" or self._shifting is not None
            older.desired_count = older.running_count if waits else 0
            older.status = "ACTIVE" if older.id in alive else "DRAINING"
        if service.status == "DRAINING":
            if not left:
                service.status, service.deployments = "INACTIVE", []
            return
        counts = self._counts(primary, tasks)
        complete = rollout.is_complete(service.desired_count, counts)
        shifting = self._shifting
        if shifting is not None:
            ready = service.desired_count == counts.running == counts.healthy and not counts.pending
            self._stages.look(shifting, ready=ready, old_gone=not counts.others)
            complete = complete and not shifting.open
        enough = complete or rollout.is_early_success(service.deploymentConfiguration, service.desired_count, counts)
        if enough and shifting is None and primary.rollout_state == "IN_PROGRESS":
            primary.become("COMPLETED", f"ECS deployment {primary.id} completed.")
            if self._record is not None:
                self._record.become("ROLLBACK_SUCCESSFUL" if self._record.back else "SUCCESSFUL")
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
        return (
            running.running
            and running.fit
            and all(record is not None and record.health.state == "healthy" for _, record in self._records(running))
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


def _group_of(balancer: dict[str, Any], colour: int) -> str:
    """The one of a load balancer's two target groups."""
    other = (balancer.get("advancedConfiguration") or {}).get("alternateTargetGroupArn")
    return str(other if colour and other else balancer["targetGroupArn"])
