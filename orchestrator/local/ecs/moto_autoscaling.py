"""Application Auto Scaling: what it keeps of a scalable target.

moto: a target's suspended state is null until set, and set as a whole; a minimum above the maximum is taken; tags
answer with HTTP 500; policies never act (autoscaler.py does). AWS: nothing is suspended at first, what isn't named
stays, ValidationException, and a list of tags.
"""

from __future__ import annotations

import json
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

RUNNING = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


def install(_cloud: Cloud) -> None:
    """Targets and their tags."""
    register = ApplicationAutoscalingBackend.register_scalable_target

    def register_scalable_target(self: Any, namespace: str, r_id: str, dimension: str, **given: Any) -> Any:
        known = self.targets.get(dimension, {}).get(r_id)
        least = _either(given["min_capacity"], known and known.min_capacity)
        most = _either(given["max_capacity"], known and known.max_capacity)
        if least is None or most is None or least > most:
            raise AWSValidationException("Maximum capacity cannot be less than minimum capacity")
        given["suspended_state"] = {
            **RUNNING,
            **((known and known.suspended_state) or {}),
            **(given["suspended_state"] or {}),
        }
        positional = (given["min_capacity"], given["max_capacity"], given["role_arn"], given["suspended_state"])
        return register(self, namespace, r_id, dimension, *positional)

    def nothing(_self: Any) -> str:
        return json.dumps({})

    def no_tags(_self: Any) -> str:
        return json.dumps({"Tags": {}})

    replace(ApplicationAutoscalingBackend, register_scalable_target=register_scalable_target)
    replace(
        ApplicationAutoScalingResponse, tag_resource=nothing, untag_resource=nothing, list_tags_for_resource=no_tags
    )


def _either(first: int | None, second: int | None) -> int | None:
    return second if first is None else first
