"""Tags: what AWS doesn't take as one.

moto takes anything. ECS and RDS refuse a value beyond letters, digits, spaces and `_.:/=+-@`, or longer than 256
characters, and a key that begins with `aws:`. Left out: the number of tags, other services.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from moto.ecs.exceptions import InvalidParameterException
from moto.ecs.models import EC2ContainerServiceBackend
from moto.rds.exceptions import InvalidParameterValue
from moto.rds.models import RDSBackend

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace

TEXT = re.compile(r"[\w\s.:/=+@-]{0,256}")


def install(_cloud: Cloud) -> None:
    """Of services and DB instances."""
    tag_ecs, tag_rds = EC2ContainerServiceBackend.tag_resource, RDSBackend.add_tags_to_resource

    def tag_resource(self: Any, arn: str, tags: dict[str, str]) -> None:
        wrong = _wrong(tags.items())
        if wrong:
            raise InvalidParameterException(wrong)
        tag_ecs(self, arn, tags)

    def add_tags_to_resource(self: Any, arn: str, tags: list[dict[str, str]]) -> Any:
        wrong = _wrong((one["Key"], one.get("Value", "")) for one in tags)
        if wrong:
            raise InvalidParameterValue(wrong)
        return tag_rds(self, arn, tags)

    replace(EC2ContainerServiceBackend, tag_resource=tag_resource)
    replace(RDSBackend, add_tags_to_resource=add_tags_to_resource)


def _wrong(tags: Iterable[tuple[str, str | None]]) -> str:
    for key, value in tags:
        if key.lower().startswith("aws:"):
            return "aws: prefixed tag key names are not allowed for external use."
        for text in (key, value or ""):
            if not TEXT.fullmatch(text):
                return f"The tag {text!r} holds characters that are not allowed, or too many."
    return ""
