"""moto's services: counts that never move, settings that are dropped, a forced deployment that rewrites history.

Here the API keeps what it is given, adds a new PRIMARY deployment and leaves the older ones ACTIVE, and deletes by
draining; the scheduler does the rest. As on AWS, a change of the desired count alone starts no deployment. Left out:
ExecuteCommand, capacity providers, tags of tasks.
"""

from __future__ import annotations

import random
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import EcsClientException, ECSException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.ecs.responses import EC2ContainerServiceResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs import strategy, task_sets
from orchestrator.local.ecs.model import LivingService
from orchestrator.local.ecs.rollout import DEFAULT_CONFIGURATION, LOCK, DeploymentRecord
from orchestrator.local.ecs.service_deployments import ServiceDeployment

DEPLOYING = (
    "networkConfiguration",
    "platformVersion",
    "loadBalancers",
    "capacityProviderStrategy",
    "serviceRegistries",
)
"""Changing one of these starts a new deployment; the task definition does too."""
KEPT = (
    *DEPLOYING,
    "deploymentConfiguration",
    "healthCheckGracePeriodSeconds",
    "enableExecuteCommand",
    "enableECSManagedTags",
    "availabilityZoneRebalancing",
    "placementConstraints",
    "placementStrategy",
    "propagateTags",
)
SNAKE = {
    "networkConfiguration": "network_configuration",
    "platformVersion": "platform_version",
    "loadBalancers": "load_balancers",
    "serviceRegistries": "service_registries",
    "propagateTags": "propagate_tags",
}
"""Settings that moto itself keeps under its own attribute; the others are stored under the API's name."""

_create_service = EC2ContainerServiceResponse.create_service
_describe_services = EC2ContainerServiceResponse.describe_services
_list_services = EC2ContainerServiceBackend.list_services


def install(_cloud: Cloud) -> None:
    """From now on services keep their settings and have deployments."""
    replace(EC2ContainerServiceResponse, create_service=_create, update_service=_update, describe_services=_describe)
    replace(EC2ContainerServiceResponse, create_task_set=task_sets.create)
    replace(EC2ContainerServiceBackend, delete_service=_delete, list_services=_list)


def deployment_id() -> str:
    """`ecs-svc/` and 19 digits."""
    return f"ecs-svc/{random.randint(10**18, 10**19 - 1)}"


def _create(self: EC2ContainerServiceResponse) -> ActionResult:
    given = self._get_params()
    cluster, name = str(given.get("cluster", "default")).rsplit("/", 1)[-1], given["serviceName"]
    with LOCK:
        existing = self.ecs_backend.services.get(f"{cluster}:{name}")
        if existing is not None and existing.status == "DRAINING":
            raise InvalidParameterException("Unable to Start a service that is still Draining.")
        if existing is not None and existing.status == "ACTIVE":
            raise InvalidParameterException("Creation of service was not idempotent.")
        _refuse(given, {}, controller=(given.get("deploymentController") or {}).get("type") or "ECS")
        if given.get("taskDefinition"):
            _require_active(self.ecs_backend, given["taskDefinition"])
        _create_service(self)
        service = cast(LivingService, self.ecs_backend.services[f"{cluster}:{name}"])
        # moto says {} for a service on a bridge network, which AWS leaves out; Terraform's provider crashes on it.
        setattr(service, "network_configuration", service.network_configuration or None)  # noqa: B010 - moto's own type
        _begin(service, given)
    return ActionResult({"service": task_sets.shown(service)})


def _begin(service: LivingService, given: dict[str, Any]) -> None:
    service.createdAt = Pace.now()
    service.running_count = service.pending_count = 0
    service.events = []
    service.platform_version = service.platform_version or "LATEST"
    service.platformFamily = "Linux"
    service.availabilityZoneRebalancing = "DISABLED"
    service.enableExecuteCommand = service.enableECSManagedTags = False
    service.deploymentConfiguration = dict(DEFAULT_CONFIGURATION)
    service.placementConstraints, service.placementStrategy = [], []
    if service.load_balancers:
        service.healthCheckGracePeriodSeconds = 0
    _keep(service, given)
    service.production_colour, service.service_deployments = 0, []
    service.deployments = task_sets.begin(service, new_deployment(service))
    if task_sets.controller_of(service) == task_sets.ECS:
        _open(service, service.deployments[0], ())


def _keep(service: LivingService, given: dict[str, Any]) -> None:
    for name in KEPT:
        if given.get(name) is None:
            continue
        value = given[name]
        if name == "deploymentConfiguration":
            value = {**service.deploymentConfiguration, **value}
        setattr(service, SNAKE.get(name, name), value)


def new_deployment(service: LivingService, task_definition: str = "") -> DeploymentRecord:
    """A PRIMARY deployment of the service as it is now."""
    return DeploymentRecord(
        id=deployment_id(),
        task_definition=task_definition or service.task_definition,
        desired_count=service.desired_count,
        launch_type=service.launch_type,
        network_configuration=service.network_configuration or None,
    )


def _update(self: EC2ContainerServiceResponse) -> ActionResult:
    given = self._get_params()
    with LOCK:
        cluster, name = given.get("cluster", "default"), str(given["service"]).rsplit("/", 1)[-1]
        service = cast(LivingService, self.ecs_backend._get_service(cluster, name))
        if service.status != "ACTIVE":
            raise _not_active()
        task_sets.refuse(service, given)
        _refuse(given, service.deploymentConfiguration, task_sets.controller_of(service), service.load_balancers)
        replaces = bool(given.get("forceNewDeployment")) or any(
            given.get(key) is not None and (given[key] or None) != (getattr(service, SNAKE.get(key, key), None) or None)
            for key in DEPLOYING
        )
        if given.get("taskDefinition"):
            arn = _require_active(self.ecs_backend, given["taskDefinition"])
            replaces = replaces or arn != service.task_definition
            service.task_definition = arn
        elif replaces:
            _require_active(self.ecs_backend, service.task_definition)
        _keep(service, given)
        if given.get("desiredCount") is not None:
            scale(service, int(given["desiredCount"]))
        if replaces:
            deploy(service, new_deployment(service))
    return ActionResult({"service": task_sets.shown(service)})


def scale(service: LivingService, desired: int) -> None:
    """Want so many; starts no deployment. Hold LOCK."""
    service.desired_count = desired
    if service.deployments:
        service.deployments[0].desired_count = desired
        service.deployments[0].updated_at = Pace.now()


def deploy(service: LivingService, primary: DeploymentRecord, going_back: ServiceDeployment | None = None) -> None:
    """The deployment becomes PRIMARY; the older ones stay ACTIVE until their tasks are gone. Hold LOCK.

    `going_back` is the service deployment that it is a part of, where it takes another one back.
    """
    sources = tuple(older for older in service.deployments if older.running_count or older.pending_count)
    for older in service.deployments:
        older.status = "ACTIVE"
    service.deployments = [primary, *service.deployments]
    primary.colour = service.production_colour
    if going_back is not None:
        return
    if strategy.is_native(service.deploymentConfiguration) and sources:
        primary.colour = 1 - service.production_colour
    for record in service.service_deployments[:1]:
        if record.open:
            record.become("STOPPED", "Service deployment stopped because a newer one was started.")
    _open(service, primary, sources)


def _open(service: LivingService, target: DeploymentRecord, sources: tuple[DeploymentRecord, ...]) -> None:
    made = ServiceDeployment(
        service_arn=service.arn,
        cluster_arn=service.cluster_arn,
        region=service.region_name,
        cluster=service.cluster_name,
        service=service.name,
        configuration=dict(service.deploymentConfiguration),
        target=target,
        sources=sources,
    )
    service.service_deployments = [made, *service.service_deployments]


def _refuse(
    given: dict[str, Any], before: dict[str, Any], controller: str, balancers: list[dict[str, Any]] | None = None
) -> None:
    """Raise for a deployment configuration that ECS doesn't take."""
    configuration = {**before, **(given.get("deploymentConfiguration") or {})}
    asked = given.get("loadBalancers")
    why = strategy.objections(configuration, controller, balancers or [] if asked is None else asked)
    if why:
        raise InvalidParameterException(why)


def _require_active(backend: EC2ContainerServiceBackend, name: str) -> str:
    """The task definition's ARN. Raises as ECS does for one that was deregistered."""
    definition = backend.describe_task_definition(name)
    if definition.status != "ACTIVE":
        raise EcsClientException("TaskDefinition is inactive")
    return str(definition.arn)


def _not_active() -> Exception:
    return ECSException("ServiceNotActiveException", "Service was not ACTIVE.")


def _delete(self: EC2ContainerServiceBackend, cluster_name: str, service_name: str, force: bool) -> LivingService:
    with LOCK:
        service = cast(LivingService, self._get_service(cluster_name, service_name.rsplit("/", 1)[-1]))
        if service.status == "ACTIVE":
            if service.desired_count > 0 and not force:
                raise InvalidParameterException("The service cannot be stopped while it is scaled above 0.")
            service.status = "DRAINING"
            scale(service, 0)
        return service


def _describe(self: EC2ContainerServiceResponse) -> ActionResult:
    if not self._get_param("services", []):
        raise InvalidParameterException("Services cannot be empty.")
    said = cast(dict[str, Any], _describe_services(self).result)
    return ActionResult({**said, "services": [task_sets.shown(one) for one in said["services"]]})


def _list(self: EC2ContainerServiceBackend, *args: Any, **named: Any) -> list[str]:
    inactive = {service.arn for service in self.services.values() if service.status == "INACTIVE"}
    return [arn for arn in _list_services(self, *args, **named) if arn not in inactive]
