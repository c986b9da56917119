"""AWS takes the Fargate Spot tasks back that run at this moment, once; ECS starts others.

Source: ECS developer guide, "Termination notices". Left out: the two minutes between the notice and the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _take(_cloud: Cloud, tenant: str) -> None:
    from moto.ecs.models import ecs_backends  # noqa: PLC0415 - with moto

    from orchestrator.local.core.cloud import ACCOUNT  # noqa: PLC0415 - with moto
    from orchestrator.local.ecs.model import tasks_of  # noqa: PLC0415 - with moto
    from orchestrator.local.ecs.tasks import is_tenants  # noqa: PLC0415 - with moto

    for backend in list(ecs_backends[ACCOUNT].values()):
        for task in tasks_of(backend):
            if task.stopper is not None and task.desired_status == "RUNNING" and is_tenants(tenant, task.group):
                task.stopper("SpotInterruption", "Your Spot Task was interrupted.")


FAULT = Fault("spot-taken-back", "AWS reclaims the running Fargate Spot tasks", inject=_take)
