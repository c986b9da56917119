"""What the corrections add to moto's ECS objects, for the type checker: moto shows what is named as in the API."""

# ruff: noqa: N815 - the attributes are the API's names

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol, cast

from moto.ecs.models import EC2ContainerServiceBackend, TaskDefinition, TaskSet

from orchestrator.local.ecs.rollout import DeploymentRecord
from orchestrator.local.ecs.service_deployments import ServiceDeployment


class LivingTask(Protocol):
    """moto's `Task` with what DescribeTasks also shows."""

    id: str
    task_arn: str
    group: str
    started_by: str
    region_name: str
    cluster_name: str
    task_definition_arn: str
    container_instance_arn: str | None
    network_configuration: dict[str, Any] | None
    overrides: dict[str, Any] | None
    desired_status: str
    last_status: str
    attachments: list[dict[str, Any]]
    containers: list[dict[str, Any]]
    cpu: str | None
    memory: str | None
    connectivity: str
    version: int
    healthStatus: str
    platformVersion: str
    platformFamily: str
    availabilityZone: str
    enableExecuteCommand: bool
    createdAt: datetime
    pullStartedAt: datetime
    pullStoppedAt: datetime
    startedAt: datetime | None
    stoppingAt: datetime
    executionStoppedAt: datetime
    stoppedAt: datetime | None
    stopCode: str | None
    stoppedReason: str | None
    stopped_reason: str | None
    stopper: Callable[[str, str], None] | None
    """Asks the living task to stop, with a code and a reason; set by the scheduler."""


class LivingService(Protocol):
    """moto's `Service` with what DescribeServices also shows."""

    name: str
    arn: str
    status: str
    cluster_name: str
    task_definition: str
    desired_count: int
    running_count: int
    pending_count: int
    launch_type: str | None
    load_balancers: list[dict[str, Any]]
    network_configuration: dict[str, Any]
    platform_version: str | None
    events: list[dict[str, Any]]
    deployments: list[DeploymentRecord]
    deployment_controller: dict[str, str]
    task_sets: list[TaskSet]
    service_deployments: list[ServiceDeployment]
    """Newest first. moto shows none of it: the API's service has no such member."""
    production_colour: int
    """In which of its two target groups its visitors are served: see `DeploymentRecord.colour`."""
    cluster_arn: str
    region_name: str
    createdAt: datetime
    platformFamily: str
    availabilityZoneRebalancing: str
    enableExecuteCommand: bool
    enableECSManagedTags: bool
    deploymentConfiguration: dict[str, Any]
    healthCheckGracePeriodSeconds: int
    placementConstraints: list[dict[str, Any]]
    placementStrategy: list[dict[str, Any]]


def tasks_of(backend: EC2ContainerServiceBackend, cluster: str | None = None) -> list[LivingTask]:
    """The tasks of one cluster, or of all; a copy."""
    every = [backend.tasks.get(cluster, {})] if cluster else list(backend.tasks.values())
    return cast(list[LivingTask], [task for tasks in every for task in list(tasks.values())])


def services_of(backend: EC2ContainerServiceBackend) -> list[LivingService]:
    """Every service, the inactive ones included; a copy."""
    return cast(list[LivingService], list(backend.services.values()))


def execution_role(definition: TaskDefinition) -> str:
    """The ARN of the role that reads secrets and pulls images (empty: none)."""
    return str(getattr(definition, "execution_role_arn", "") or "")


def task_role(definition: TaskDefinition) -> str:
    """The ARN of the role that the containers have (empty: none)."""
    return str(getattr(definition, "task_role_arn", "") or "")
