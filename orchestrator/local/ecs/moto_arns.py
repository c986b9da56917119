"""A service's ARN: moto's follows the account's setting of the moment, and any of its ARNs will do to tag it.

On AWS a service keeps the ARN that it was made with. One from before 2021 may have a short one, without the cluster's
name: ECS gives it no tag until the account's setting allows long ARNs; then its long ARN in TagResource is taken for
the wish to migrate it (Amazon ECS, "Migrate an Amazon ECS short service ARN to a long ARN"; the first refusal in the
words of boto3 2473). A service with a short ARN is made here while `serviceLongArnFormat` is disabled. Left out: that
the setting of the one who made the service counts, and the setting for tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend, Service

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

_SETTING = "serviceLongArnFormat"


def _is_long(service: Any) -> bool:
    """As it was when the service was made, or migrated."""
    long: bool = service.__dict__.setdefault("long_arn", service._backend.enable_long_arn_for_name(_SETTING))
    return long


def _arns(service: Any) -> tuple[str, str]:
    """The short one and the long one."""
    start, name = service.cluster_arn.partition(":cluster/")[0], service.name
    return f"{start}:service/{name}", f"{start}:service/{service.cluster_name}/{name}"


def _arn(service: Any) -> str:
    return _arns(service)[_is_long(service)]


def _by_long_arn(call: Callable[..., Any], *, migrates: bool = False) -> Callable[..., Any]:
    def called(backend: Any, arn: str, *arguments: Any) -> Any:
        for service in list(backend.services.values()):
            if arn in _arns(service) and not _is_long(service):
                if arn == service.arn or not migrates:
                    raise InvalidParameterException("Long arn format must be used for tagging operations")
                if not backend.enable_long_arn_for_name(_SETTING):
                    raise InvalidParameterException(
                        f"There was an error while migrating the ARN of service {service.name}. The specified account "
                        "does not have serviceLongArnFormat or taskLongArnFormat account settings enabled. Add account "
                        "settings in order to enable tagging."
                    )
                service.long_arn = True
        return call(backend, arn, *arguments)

    return called


def install(_cloud: Cloud) -> None:
    """ARNs that stay, and tags for long ones."""
    of = EC2ContainerServiceBackend
    replace(Service, arn=property(_arn))
    replace(of, tag_resource=_by_long_arn(of.tag_resource, migrates=True))
    replace(of, untag_resource=_by_long_arn(of.untag_resource))
    replace(of, list_tags_for_resource=_by_long_arn(of.list_tags_for_resource))
