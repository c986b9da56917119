"""What botocore's models say of each argument is checked where AWS checks it: on the server.

boto3 itself checks only required members and types; other SDKs and handwritten JSON are not even checked for those.
Left out: S3, which has its own code for each mistake; enumerations that AWS extends all the time (`GROWING`); patterns
that Python can't read (of half a surrogate pair).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import regex

from orchestrator.local.laws import Force, Law, Refusal, Row

if TYPE_CHECKING:
    from botocore.model import Shape

    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall

GROWING = frozenset(
    {
        "AvailabilityZoneId",
        "BucketLocationConstraint",
        "CloudWatchRegion",
        "InstanceType",
        "KeyAlgorithm",
        "PolicyGrantStatus",
        "VPCRegion",
    }
)
"""Enumerations that AWS adds to every week: a value that this botocore doesn't know may be right."""
CODES = {
    "acm": "ValidationException",
    "application-autoscaling": "ValidationException",
    "autoscaling": "ValidationError",
    "cloudwatch": "ValidationError",
    "ec2": "InvalidParameterValue",
    "ecs": "InvalidParameterException",
    "elasticache": "InvalidParameterValue",
    "elbv2": "ValidationError",
    "events": "ValidationException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "rds": "InvalidParameterValue",
    "resourcegroupstaggingapi": "InvalidParameterException",
    "route53": "InvalidInput",
    "secretsmanager": "ValidationException",
    "service-quotas": "IllegalArgumentException",
    "servicediscovery": "InvalidInput",
    "ssm": "ValidationException",
    "sts": "ValidationError",
}
"""Service → code of an argument that breaks the model. Of other services nothing is checked."""
MISSING = {"ec2": "MissingParameter", "elasticache": "MissingParameter", "rds": "MissingParameter"}
"""Services with a code of its own for what is not there."""
_MODELS = "https://github.com/boto/botocore/tree/develop/botocore/data"


def violations(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Each thing that is not as the model has it, in AWS's words."""
    made: Any = shape
    if shape.type_name == "structure":
        if not getattr(made, "is_document_type", False) and isinstance(value, Mapping):
            yield from _of_structure(made, value, path)
        return
    yield from _of_value(shape, value, path)
    if shape.type_name == "list" and isinstance(value, Sequence):
        for number, one in enumerate(value, start=1):
            yield from violations(made.member, one, f"{path}.{number}.member")
    if shape.type_name == "map" and isinstance(value, Mapping):
        for key, one in value.items():
            yield from violations(made.key, key, f"{path}.{key}")
            yield from violations(made.value, one, f"{path}.{key}.member")


def _of_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            where = _below(path, name)
            yield f"Value null at '{where}' failed to satisfy constraint: Member must not be null"
    for name, one in value.items():
        if one is not None and name in shape.members:
            yield from violations(shape.members[name], one, _below(path, name))


def _below(path: str, name: str) -> str:
    """AWS writes members of a structure with a small letter."""
    return f"{path}.{name[0].lower()}{name[1:]}".lstrip(".")


def _of_value(shape: Any, value: Any, path: str) -> Iterator[str]:
    shown = "" if shape.metadata.get("sensitive") else f" '{value}'"
    for broken in _broken(shape, value):
        yield f"Value{shown} at '{path}' failed to satisfy constraint: Member must {broken}"


def _broken(shape: Any, value: Any) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or isinstance(value, str | bytes | list | dict):
        size = value if is_number else len(value)
        what = "have value" if is_number else "have length"
        if least is not None and size < least:
            yield f"{what} greater than or equal to {least}"
        if most is not None and size > most:
            yield f"{what} less than or equal to {most}"
    if not isinstance(value, str):
        return
    if shape.enum and shape.name not in GROWING and value not in shape.enum:
        yield f"satisfy enum value set: [{', '.join(shape.enum)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and (found := _compiled(pattern)) and not found.fullmatch(value):
        yield f"satisfy regular expression pattern: {pattern}"


@cache
def _compiled(pattern: str) -> regex.Pattern[str] | None:
    try:
        return regex.compile(pattern)
    except regex.error:
        return None


def judge(service: str, shape: Shape | None, parameters: Mapping[str, Any]) -> Refusal | None:
    """What AWS would say to these arguments; None: nothing is wrong with them."""
    code = CODES.get(service)
    found = list(violations(shape, parameters)) if shape and code else []
    if not found or code is None:
        return None
    missing = found[0].startswith("Value null")
    if missing and service in MISSING:
        name = found[0].split("'")[1]
        return Refusal(MISSING[service], f"The request must contain the parameter {name[0].upper()}{name[1:]}")
    errors = "error" if len(found) == 1 else "errors"
    return Refusal(code, f"{len(found)} validation {errors} detected: {'; '.join(found)}")


class Models(Force):
    """Looks at every call's arguments."""

    def refusal(self, call: AwsCall) -> Refusal | None:
        """How they break the model."""
        return judge(call.service, call.model.input_shape, call.parameters)


def _begin(_cloud: Cloud) -> Models:
    return Models()


def _rows() -> Sequence[Row]:
    return [
        Row(service, f"required, length, range, format, enumeration: {code}", f"{_MODELS}/{service}")
        for service, code in CODES.items()
    ]


LAW = Law(name="models", title="Parameter validation by the service's model", order=20, begin=_begin, rows=_rows)
