"""The shape of an answer of AWS: which members it has, and which of its lists were ever filled.

A path is written as in `services[].deployments[].id`, `tags{}`: `[]` stands for each element of a list, `{}` for each
value of a map with free keys. What is a map and what a structure, the service's model says; members that it doesn't
have (of answers that are older than it) don't count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import botocore.session
from botocore.loaders import Loader
from botocore.model import ServiceModel, Shape

SERVICES = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "servicequotas": "service-quotas"}
"""Folders whose name is the endpoint's; all others are called as botocore calls the service."""
_LOADER: Loader = botocore.session.get_session().get_component("data_loader")
_MODELS: dict[str, ServiceModel] = {}


def model(service: str) -> ServiceModel:
    """What botocore knows of it."""
    if service not in _MODELS:
        _MODELS[service] = ServiceModel(_LOADER.load_service_model(service, "service-2"), service)
    return _MODELS[service]


def shape(name: str, answers: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Every path that one of the answers of `service:Operation` has."""
    service, _, operation = name.partition(":")
    output = model(service).operation_model(operation).output_shape
    return frozenset(path for answer in answers for path in (_paths(output, answer, "") if output else ()))


def _paths(shape: Shape, value: Any, path: str) -> Iterator[str]:
    if path:
        yield path
    if shape.type_name == "structure" and isinstance(value, Mapping):
        for name, member in getattr(shape, "members", {}).items():
            if value.get(name) is not None:
                yield from _paths(member, value[name], f"{path}.{name}".lstrip("."))
    elif shape.type_name == "list":
        for one in value:
            yield from _paths(getattr(shape, "member"), one, f"{path}[]")  # noqa: B009 - of ListShape alone
    elif shape.type_name == "map":
        for one in value.values():
            yield from _paths(getattr(shape, "value"), one, f"{path}{{}}")  # noqa: B009 - of MapShape alone


def missing(expected: Iterable[str], found: frozenset[str]) -> list[str]:
    """The members that AWS's answer has and this one lacks, each where it begins.

    What would be inside a list, map or structure that this answer hasn't got, or has empty, is not judged.
    """
    begun = found | {""}
    return sorted(path for path in expected if path not in found and not _is_element(path) and _parent(path) in begun)


def _is_element(path: str) -> bool:
    return path.endswith(("[]", "{}"))


def _parent(path: str) -> str:
    """Of `a[].b`: `a[]`; of `a[]`: `a`."""
    return path[:-2] if _is_element(path) else path.rpartition(".")[0]
