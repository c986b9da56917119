"""ECS services of one cluster or of several: a service is called NAME in the stack's own, CLUSTER/NAME elsewhere. Pure.

A service's name has no slash (Amazon ECS, "Service definition parameters"), so that the two can't be mistaken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def place(service: str, home: str) -> tuple[str, str]:
    """The cluster and the name that ECS knows it by."""
    cluster, slash, name = service.partition("/")
    return (cluster, name) if slash else (home, service)


def by_cluster(services: Iterable[str], home: str) -> Mapping[str, Mapping[str, str]]:
    """Cluster → the name there → what the service is called here."""
    found: dict[str, dict[str, str]] = {}
    for service in services:
        cluster, name = place(service, home)
        found.setdefault(cluster, {})[name] = service
    return found


def name_of(raw: Mapping[str, Any], called: Mapping[str, str]) -> str:
    """What a service as ECS shows it is called here, by what those of its cluster are."""
    name = str(raw["serviceName"])
    return called.get(name, name)


def options(service: str, home: str = "") -> str:
    """As the AWS CLI is told of it; where its cluster isn't known, by its name alone."""
    cluster, name = place(service, home)
    return f"--cluster {cluster} --service {name}" if cluster else f"--service {name}"


def whole(service: str, home: str) -> str:
    """CLUSTER/NAME, of any service."""
    return "/".join(place(service, home))
