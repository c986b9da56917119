"""What a service's containers are told: the environment of the one that talks to the database. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orchestrator.stack.applications import is_onyx
from orchestrator.stack.blueprint.resources import Resource, Resources, blocks_in, listed
from orchestrator.stack.inference import words


@dataclass(frozen=True, slots=True)
class BackendTask:
    """The backend's view. `secrets` is name → `valueFrom`; `domains` the hosts in WEB_DOMAIN and DOMAIN."""

    address: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict)
    log_group: str | None = None
    domains: Mapping[str, str] = field(default_factory=dict)
    is_onyx: bool = False
    """Whether one of its images is Onyx's."""

    @property
    def has_database(self) -> bool:
        """Whether anything of PostgreSQL is said, in Onyx's words or in another application's."""
        return any(map(words.is_of_a_database, (*self.environment, *self.secrets)))

    def says(self, name: str) -> str:
        """A plain variable; empty: not told."""
        return self.environment.get(name, "")


def task_of(service: Resource, state: Resources) -> BackendTask | None:
    """The task definition the service names; by its family where another revision runs than Terraform's."""
    wanted = service.text("task_definition")
    family = wanted.rsplit("/", 1)[-1].split(":")[0]
    known = state.of("aws_ecs_task_definition")
    same = [it for it in known if wanted and wanted in (it.text("arn"), it.text("arn_without_revision"))]
    same = same or [it for it in known if it.text("family") == family]
    entrances = [str(it.get("container_name") or "") for it in service.blocks("load_balancer")]
    return read(same[0], entrances) if len({it.text("family") for it in same}) == 1 else None


def read(definition: Resource, entrances: Sequence[str] = ()) -> BackendTask:
    """The containers of a task definition, seen from the one that talks to the database.

    `entrances` are the containers that the load balancer sends visitors to.
    """
    try:
        decoded = json.loads(definition.text("container_definitions") or "[]")
    except ValueError:
        decoded = []
    containers = [one for one in listed(decoded) if isinstance(one, dict)]
    domains = {
        name: domain
        for name in ("WEB_DOMAIN", "DOMAIN")
        for one in reversed(containers)
        if (domain := _domain(_environment(one).get(name, "")))
    }
    entered = [one for one in containers if one.get("name") in entrances]
    chosen = _backend(containers, entered)
    if chosen is None:
        return BackendTask(definition.address, domains=domains)
    images = [str(one.get("image") or "") for one in containers]
    return BackendTask(
        definition.address,
        _environment(chosen),
        {str(it.get("name")): str(it["valueFrom"]) for it in blocks_in(chosen.get("secrets")) if it.get("valueFrom")},
        _log_group([chosen, *entered], containers),
        domains,
        is_onyx(images),
    )


def _backend(containers: Sequence[Mapping[str, Any]], entered: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The container with a database that also listens; else the first with a database, else where visitors enter."""
    with_database = [one for one in containers if words.ONYX & _names(one)]
    with_database = with_database or [one for one in containers if any(map(words.is_of_a_database, _names(one)))]
    listening = [one for one in with_database if one.get("portMappings")]
    return next(iter((*listening, *with_database, *entered, *containers)), None)


def _names(container: Mapping[str, Any]) -> set[str]:
    return {str(it.get("name")) for kind in ("environment", "secrets") for it in blocks_in(container.get(kind))}


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {
        str(it["name"]): str(it.get("value", "")) for it in blocks_in(container.get("environment")) if it.get("name")
    }


def _domain(said: str) -> str:
    try:
        host = urlsplit(said if "//" in said else f"//{said}").hostname or ""
    except ValueError:
        return ""
    return host if "." in host else ""


def _log_group(own: Sequence[Mapping[str, Any]], containers: Sequence[Mapping[str, Any]]) -> str | None:
    """Of the first of its `own` containers that has one; else the one that all the others share: no sidecar's."""
    for container in own:
        if group := _written_to(container):
            return group
    shared = {group for one in containers if (group := _written_to(one))}
    return next(iter(shared)) if len(shared) == 1 else None


def _written_to(container: Mapping[str, Any]) -> str | None:
    logging = container.get("logConfiguration")
    options = logging.get("options") if isinstance(logging, Mapping) else None
    return str(options["awslogs-group"]) if isinstance(options, Mapping) and options.get("awslogs-group") else None
