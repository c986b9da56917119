"""Services whose deployments another controller makes (CODE_DEPLOY, EXTERNAL): task sets, and what ECS refuses of them.

DescribeServices shows no deployment of theirs. With CODE_DEPLOY the service's first task set is made with it and is
PRIMARY; with EXTERNAL somebody makes it (CreateTaskSet) and calls it PRIMARY. A forced deployment, another task
definition or network is refused: AWS's words for CODE_DEPLOY are those that its users met
(terraform-provider-aws 13473, boto3 1936); for EXTERNAL they are made after them. Left out: CodeDeploy itself, a second
task set beside the first (so no shift of traffic), scales other than 100 %, DeleteTaskSet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import TaskSet
from moto.ecs.responses import EC2ContainerServiceResponse

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.core.pace import Pace
from orchestrator.local.ecs.model import LivingService
from orchestrator.local.ecs.rollout import LOCK, DeploymentRecord

ECS, CODE_DEPLOY = "ECS", "CODE_DEPLOY"
_REFUSED: Mapping[str, str] = {
    "taskDefinition": "Unable to update task definition on services",
    "networkConfiguration": "Unable to update network parameters on services",
    "loadBalancers": "Unable to update load balancers on services",
    "platformVersion": "Unable to update platform version on services",
    "forceNewDeployment": "Cannot force a new deployment on services",
}
"""Parameter of UpdateService → the beginning of the refusal."""
_WAY_ON = {CODE_DEPLOY: "Use AWS CodeDeploy to trigger a new deployment."}


def controller_of(service: LivingService) -> str:
    """Who makes its deployments."""
    return str(service.deployment_controller["type"])


def refuse(service: LivingService, given: Mapping[str, Any]) -> None:
    """Raise for what UpdateService doesn't take of this service; nothing where ECS deploys."""
    controller = controller_of(service)
    if controller == ECS:
        return
    for name, refusal in _REFUSED.items():
        if given.get(name):
            way = _WAY_ON.get(controller, "Create a new task set instead.")
            raise InvalidParameterException(f"{refusal} with a {controller} deployment controller. {way}")


def begin(service: LivingService, first: DeploymentRecord) -> list[DeploymentRecord]:
    """The service's deployments as the scheduler keeps them: of EXTERNAL there is none yet."""
    controller = controller_of(service)
    if controller == ECS:
        return [first]
    if controller != CODE_DEPLOY:
        return []
    made = TaskSet(
        service.name,
        service.cluster_name,
        service.task_definition,
        ACCOUNT,
        service.region_name,
        network_configuration=service.network_configuration,
        load_balancers=service.load_balancers,
        launch_type=service.launch_type,
        platform_version=service.platform_version,
    )
    made.id, made.status, made.service_arn, made.cluster_arn = first.id, "PRIMARY", service.arn, service.cluster_arn
    setattr(made, "startedBy", "CodeDeploy")  # noqa: B010 - as the API calls it; moto has none
    service.task_sets.append(made)
    return [first]


def create(response: EC2ContainerServiceResponse) -> ActionResult:
    """CreateTaskSet: its tasks live from now on. It becomes PRIMARY when somebody says so."""
    given = response._get_params()
    backend, name = response.ecs_backend, str(given["service"]).rsplit("/", 1)[-1]
    with LOCK:
        service = cast(LivingService, backend._get_service(given["cluster"], name))
        if controller_of(service) in (ECS, CODE_DEPLOY):
            raise InvalidParameterException(
                "createTaskSet is only supported for services using an EXTERNAL controller."
            )
        if service.task_sets:
            raise InvalidParameterException("The local cloud keeps one task set of a service.")
        # moto would run tasks of its own for a scale that is given.
        settings = {"network_configuration": "networkConfiguration", "load_balancers": "loadBalancers"}
        more = {ours: given.get(theirs) for ours, theirs in settings.items()}
        kind = given.get("launchType") or "FARGATE"
        made = backend.create_task_set(name, given["cluster"], given["taskDefinition"], launch_type=kind, **more)
        service.network_configuration, service.load_balancers = made.network_configuration or {}, made.load_balancers
        service.task_definition, service.launch_type = made.task_definition, kind
        service.deployments = [
            DeploymentRecord(made.id, made.task_definition, service.desired_count, kind, made.network_configuration)
        ]
    return ActionResult({"taskSet": made})


def shown(service: LivingService) -> LivingService:
    """The service as the API shows it."""
    return service if controller_of(service) == ECS else cast(LivingService, _Led(service))


def spoken_of(service: LivingService, text: str) -> str:
    """How an event of the service begins: what is about the tasks of a task set names it."""
    about_tasks = service.deployments and "steady state" not in text
    return service.name if controller_of(service) == ECS or not about_tasks else _named(service)


def _named(service: LivingService) -> str:
    return f"{service.name}, taskSet {service.deployments[0].id}"


class _Led:
    """A service without deployments: its task sets say what there is."""

    deployments: tuple[()] = ()

    def __init__(self, service: LivingService) -> None:
        self._service = service

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    @property
    def task_sets(self) -> list[TaskSet]:
        known = {one.id: one for one in self._service.deployments}
        for one in self._service.task_sets:
            _bring_up_to_date(one, known.get(one.id))
        return list(self._service.task_sets)


def _bring_up_to_date(task_set: Any, deployment: DeploymentRecord | None) -> None:
    running, pending = (deployment.running_count, deployment.pending_count) if deployment else (0, 0)
    wanted = deployment.desired_count if deployment else 0
    complete = deployment is not None and deployment.rollout_state == "COMPLETED"
    state = "STEADY_STATE" if complete and running == wanted and not pending else "STABILIZING"
    if task_set.stabilityStatus != state:
        task_set.stabilityStatusAt = Pace.now()
    task_set.stabilityStatus = state
    task_set.runningCount, task_set.pendingCount, task_set.computedDesiredCount = running, pending, wanted
