"""Rolling deployments that their service's own limits never let begin. Pure.

Source: ECS API Reference, DeploymentConfiguration: minimumHealthyPercent of the desired tasks is rounded up to whole
tasks, maximumPercent down; a deployment starts tasks while fewer than that run, and stops old ones while more do.
"""

from __future__ import annotations

from orchestrator.aws.clusters import options
from orchestrator.aws.ecs import ROLLING, Service
from orchestrator.errors import counted

CODE = "deployment-cannot-begin"
IN_TERRAFORM = "deployment_maximum_percent = 200 in aws_ecs_service"


def cannot_begin(service: Service) -> bool:
    """Whether its new deployment may neither start a task nor have an old one stopped."""
    primary = service.primary
    if primary is None or not service.deploys_itself or service.strategy != ROLLING or service.desired == 0:
        return False
    waits = primary.rollout_state == "IN_PROGRESS" and primary.running == service.pending == 0
    older = sum(one.running for one in service.deployments if one.id != primary.id)
    return waits and older > 0 and _least(service) >= older >= _most(service)


def _least(service: Service) -> int:
    return -(-service.desired * service.minimum // 100)


def _most(service: Service) -> int:
    return service.desired * service.maximum // 100


def said(service: Service) -> str:
    """The service's limits."""
    return (
        f"desiredCount {service.desired}, minimumHealthyPercent {service.minimum}, maximumPercent {service.maximum}, "
        f"runningCount {service.running}"
    )


def why(service: Service) -> str:
    """What the limits come to, in tasks."""
    return (
        f"of {counted(service.desired, 'task')}, {_least(service)} must keep running "
        f"(minimumHealthyPercent {service.minimum}) "
        f"and no more than {_most(service)} may run (maximumPercent {service.maximum}): "
        "ECS can neither start a task nor stop one"
    )


def remedy(service: Service, cluster: str) -> str:
    """The command that makes room for it."""
    limits = f"minimumHealthyPercent={service.minimum},maximumPercent=200"
    return f"aws ecs update-service {options(service.name, cluster)} --deployment-configuration {limits}"
