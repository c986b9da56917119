"""moto has none of the service-deployment calls: List, Describe, Stop and Continue are made here.

Refusals are AWS's errors where its documentation names them; their words are ours. Left out: DescribeServiceRevisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ecs.exceptions import ECSException, InvalidParameterException, ServiceNotFoundException
from moto.ecs.responses import EC2ContainerServiceResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ecs.model import LivingService, services_of
from orchestrator.local.ecs.rollout import LOCK
from orchestrator.local.ecs.service_deployments import STOPPABLE, ServiceDeployment
from orchestrator.local.ecs.stages import BY_HOOK, STOPPED_BY_HAND, request_rollback


def install(_cloud: Cloud) -> None:
    """From now on deployments of services can be listed, described, stopped and continued."""
    replace(
        EC2ContainerServiceResponse,
        list_service_deployments=_list,
        describe_service_deployments=_describe,
        stop_service_deployment=_stop,
        continue_service_deployment=_continue,
    )


def _list(self: EC2ContainerServiceResponse) -> ActionResult:
    given = self._get_params()
    cluster = self.ecs_backend._get_cluster(given.get("cluster") or "default")
    name = str(given["service"]).rsplit("/", 1)[-1]
    with LOCK:
        found = [one for one in services_of(self.ecs_backend) if (one.cluster_name, one.name) == (cluster.name, name)]
        if not found:
            raise ServiceNotFoundException
        wanted = given.get("status") or ()
        said = [one.brief() for one in found[0].service_deployments if not wanted or one.status in wanted]
    return ActionResult({"serviceDeployments": said})


def _describe(self: EC2ContainerServiceResponse) -> ActionResult:
    asked: list[str] = self._get_params()["serviceDeploymentArns"]
    with LOCK:
        known = {record.arn: (service, record) for service, record in _all(self)}
        there = [known[arn] for arn in asked if arn in known]
        said = [record.shown(service.desired_count) for service, record in there]
    missing = [{"arn": arn, "reason": "MISSING"} for arn in asked if arn not in known]
    return ActionResult({"serviceDeployments": said, "failures": missing})


def _stop(self: EC2ContainerServiceResponse) -> ActionResult:
    given = self._get_params()
    if given.get("stopType", "ROLLBACK") != "ROLLBACK":
        raise InvalidParameterException("The only valid stopType is ROLLBACK.")
    with LOCK:
        record = _find(self, given["serviceDeploymentArn"])
        if record.status not in STOPPABLE:
            raise ECSException(
                "ConflictException", f"The service deployment is {record.status}: it can't be stopped any more."
            )
        request_rollback(record, STOPPED_BY_HAND)
    return ActionResult({"serviceDeploymentArn": record.arn})


def _continue(self: EC2ContainerServiceResponse) -> ActionResult:
    given = self._get_params()
    with LOCK:
        record = _find(self, given["serviceDeploymentArn"])
        hook = next((one for one in record.hooks if one.id == given["hookId"]), None)
        if hook is None or hook.status != "AWAITING_ACTION" or record.status != "IN_PROGRESS":
            raise InvalidParameterException("The lifecycle hook is not awaiting an action.")
        if given.get("action", "CONTINUE") == "ROLLBACK":
            request_rollback(record, BY_HOOK)
            hook.status = "FAILED"
        else:
            hook.status = "SUCCEEDED"
    return ActionResult({"serviceDeploymentArn": record.arn})


def _all(self: EC2ContainerServiceResponse) -> Iterator[tuple[LivingService, ServiceDeployment]]:
    for service in services_of(self.ecs_backend):
        for record in cast(Any, service).service_deployments:
            yield service, record


def _find(self: EC2ContainerServiceResponse, arn: str) -> ServiceDeployment:
    found = next((record for _, record in _all(self) if record.arn == arn), None)
    if found is None:
        raise ECSException("ServiceDeploymentNotFoundException", "The service deployment was not found.")
    return found
