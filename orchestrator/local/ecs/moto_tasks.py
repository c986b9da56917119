"""moto's tasks: advanced by being read, with one container, and listed without their service.

Here DescribeTasks only reads, every container of the task definition is there, ListTasks filters as ECS does (only
tasks whose desired status is RUNNING unless asked), StopTask stops in time, RunTask starts nothing twice for the same
client token. A task whose subnet is full has a network
interface without an address, and never leaves PROVISIONING (tasks.py). Left out: pages of ListTasks.
"""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Task, TaskDefinition
from moto.ecs.responses import DESCRIBE_TASKS_TAGS, EC2ContainerServiceResponse
from moto.moto_api._internal import mock_random

from orchestrator.local.core.cloud import ACCOUNT, PARTITION, Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.core.pace import Pace
from orchestrator.local.ec2.subnet import any_address
from orchestrator.local.ecs.model import LivingTask, tasks_of
from orchestrator.local.ecs.tasks import BY_HAND

MOST_TASKS = 100
_init, _run = Task.__init__, EC2ContainerServiceResponse.run_task
_ANSWERED: dict[tuple[str, str, str], ActionResult] = {}
"""What RunTask answered, by region, cluster and client token."""


def install(_cloud: Cloud) -> None:
    """From now on tasks are whole and stand still while they are read."""
    replace(Task, __init__=_new_task, advance=lambda _self: None)
    replace(NetworkInterface, private_dns_name="")  # moto's ECS reads it, its EC2 sets it only with DNS host names on
    replace(EC2ContainerServiceBackend, list_tasks=_list_tasks, stop_task=_stop_task)
    replace(EC2ContainerServiceBackend, _calculate_task_resource_requirements=staticmethod(_nothing_reserved))
    replace(EC2ContainerServiceResponse, describe_tasks=_describe_tasks, run_task=_run_task)


def _nothing_reserved(_definition: TaskDefinition) -> dict[str, Any]:
    """No instance is reserved for a Fargate task; moto adds up container memory, which need not be given."""
    return {"CPU": 0, "MEMORY": 0, "PORTS": [], "PORTS_UDP": []}


def _new_task(task: Task, cluster: Any, task_definition: TaskDefinition, *args: Any, **named: Any) -> None:
    _init(task, cluster, task_definition, *args, **named)
    self = cast(LivingTask, task)
    self.last_status = "PROVISIONING"
    self.createdAt = Pace.now()
    self.startedAt = self.stoppedAt = self.stopCode = self.stoppedReason = self.stopped_reason = None
    self.cpu, self.memory = task_definition.cpu, task_definition.memory
    self.connectivity, self.version, self.healthStatus = "CONNECTED", 1, "UNKNOWN"
    self.platformVersion, self.platformFamily = "1.4.0", "Linux"
    self.availabilityZone = _move_into_subnet(self)
    self.stopper = None
    self.containers = [_container(self, task_definition, entry) for entry in task_definition.container_definitions]


def _move_into_subnet(task: LivingTask) -> str:
    """Give the interface a free address of its subnet (moto's is any of 10.0.0.0/8); the subnet's availability zone."""
    backend = ec2_backends[ACCOUNT][task.region_name]
    for attachment in task.attachments:
        details = {pair["name"]: pair for pair in attachment["details"]}
        subnet = backend.get_subnet(details["subnetId"]["value"])
        interface = backend.enis[details["networkInterfaceId"]["value"]]
        address = any_address(backend, subnet)
        interface.private_ip_address = address
        interface.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address}]
        details["privateIPv4Address"]["value"] = address
        return str(subnet.availability_zone)
    return f"{task.region_name}a"


def _container(task: LivingTask, definition: TaskDefinition, entry: dict[str, Any]) -> dict[str, Any]:
    identity = str(mock_random.uuid4())
    arn = task.task_arn.replace(":task/", ":container/")
    details = {pair["name"]: pair["value"] for attached in task.attachments for pair in attached["details"]}
    address = {"attachmentId": task.attachments[0]["id"], "privateIpv4Address": details["privateIPv4Address"]}
    sizes = {name: str(entry[name]) for name in ("cpu", "memory", "memoryReservation") if entry.get(name) is not None}
    return {
        "containerArn": f"{arn}/{identity}",
        "taskArn": task.task_arn,
        "name": entry["name"],
        "image": entry["image"],
        "runtimeId": f"{task.id.replace('-', '')}-{len(definition.container_definitions)}",
        "lastStatus": "PENDING",
        "healthStatus": "UNKNOWN",
        "networkBindings": [],
        "networkInterfaces": [address] if details else [],
        **sizes,
    }


def _list_tasks(  # noqa: PLR0917 - moto calls it by position
    self: EC2ContainerServiceBackend,
    cluster_str: str | None = None,
    container_instance: str | None = None,
    family: str | None = None,
    started_by: str | None = None,
    service_name: str | None = None,
    desiredStatus: str | None = None,  # noqa: N803 - moto's name
) -> list[LivingTask]:
    cluster = self._get_cluster(cluster_str or "default")
    service = self._get_service(cluster.name, service_name.rsplit("/", 1)[-1]) if service_name else None
    wanted = desiredStatus or "RUNNING"
    return [
        task
        for task in tasks_of(self, cluster.name)
        if task.desired_status == wanted
        and (service is None or task.group == f"service:{service.name}")
        and (not family or task.task_definition_arn.rsplit("/", 1)[-1].split(":")[0] == family)
        and (not started_by or task.started_by == started_by)
        and (not container_instance or container_instance in (task.container_instance_arn or ""))
    ]


def _stop_task(self: EC2ContainerServiceBackend, cluster_str: str, task_str: str, reason: str) -> LivingTask:
    cluster = self._get_cluster(cluster_str)
    identity = task_str.rsplit("/", 1)[-1]
    task = next((task for task in tasks_of(self, cluster.name) if task.id == identity), None)
    if task is None:
        raise InvalidParameterException("The referenced task was not found.")
    if task.stopper is not None:
        task.stopper(BY_HAND, reason or "Task stopped by user")
    return task


def _run_task(self: EC2ContainerServiceResponse) -> ActionResult:
    key = (self.region, str(self._get_param("cluster", "default")), str(self._get_param("clientToken", "")))
    if not key[-1] or key not in _ANSWERED:
        _ANSWERED[key] = _run(self)
    return _ANSWERED[key]


def _describe_tasks(self: EC2ContainerServiceResponse) -> ActionResult:
    backend = self.ecs_backend
    asked: list[str] = self._get_param("tasks", [])
    cluster = backend._get_cluster(self._get_param("cluster", "default"))
    if not asked:
        raise InvalidParameterException("Tasks cannot be empty.")
    if len(asked) > MOST_TASKS:
        raise EcsClientException("Task cannot have more than 100 elements.")
    by_id = {task.id: task for task in tasks_of(backend, cluster.name)}
    found = {name: by_id.get(name.rsplit("/", 1)[-1]) for name in asked}
    if "TAGS" in self._get_param("include", []):
        self._include_in_response(DESCRIBE_TASKS_TAGS)
    else:
        self._exclude_from_response(DESCRIBE_TASKS_TAGS)
    missing = [name for name, task in found.items() if task is None]
    return ActionResult(
        {
            "tasks": [task for task in found.values() if task is not None],
            "failures": [{"arn": _arn(backend, cluster.name, name), "reason": "MISSING"} for name in missing],
        }
    )


def _arn(backend: EC2ContainerServiceBackend, cluster: str, name: str) -> str:
    if name.startswith("arn:"):
        return name
    return f"arn:{PARTITION}:ecs:{backend.region_name}:{backend.account_id}:task/{cluster}/{name}"
