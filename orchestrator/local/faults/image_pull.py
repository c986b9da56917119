"""The image can't be pulled. Running tasks are stopped when it is injected, so that a new pull is needed.

Felt in tasks.py, where images are pulled.
"""

from __future__ import annotations

from moto.ecs.models import ecs_backends

from orchestrator.local.core.cloud import ACCOUNT, Cloud
from orchestrator.local.ecs.model import tasks_of
from orchestrator.local.ecs.tasks import STOPPED_FOR_A_FAULT, is_tenants
from orchestrator.local.faults import Fault


def _stop_running(_cloud: Cloud, tenant: str) -> None:
    for backend in list(ecs_backends[ACCOUNT].values()):
        for task in tasks_of(backend):
            if task.desired_status == "RUNNING" and is_tenants(tenant, task.group):
                backend.stop_task(task.cluster_name, task.id, STOPPED_FOR_A_FAULT)


FAULT = Fault(
    name="image-pull",
    title="images can't be pulled (CannotPullContainerError)",
    guide="ECS Task Troubleshooting",
    inject=_stop_running,
)
