"""What a service's containers are told: the environment of the one that talks to the database. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from orchestrator.inference.state import Resource, State, blocks_in, listed

_DATABASE = frozenset({"POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_PASSWORD", "POSTGRES_USER"})


@dataclass(frozen=True, slots=True)
class Task:
    """The backend's view. `secrets` is name → `valueFrom`; `domain` the host of WEB_DOMAIN or DOMAIN, if told."""

    address: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict)
    log_group: str | None = None
    domain: str = ""

    @property
    def has_database(self) -> bool:
        """Whether anything of PostgreSQL is said."""
        return bool(_DATABASE & (self.environment.keys() | self.secrets.keys()))

    def says(self, name: str) -> str:
        """A plain variable; empty: not told."""
        return self.environment.get(name, "")


def task_of(service: Resource, state: State) -> Task | None:
    """The task definition the service names; by its family where another revision runs than Terraform's."""
    wanted = service.text("task_definition")
    family = wanted.rsplit("/", 1)[-1].split(":")[0]
    known = state.of("aws_ecs_task_definition")
    same = [it for it in known if wanted and wanted in (it.text("arn"), it.text("arn_without_revision"))]
    same = same or [it for it in known if it.text("family") == family]
    return read(same[0]) if len({it.text("family") for it in same}) == 1 else None


def read(definition: Resource) -> Task:
    """The containers of a task definition, seen from the one that talks to the database."""
    try:
        decoded = json.loads(definition.text("container_definitions") or "[]")
    except ValueError:
        decoded = []
    containers = [one for one in listed(decoded) if isinstance(one, dict)]
    domains = [domain for one in containers if (domain := _domain(_environment(one)))]
    chosen = _backend(containers)
    if chosen is None:
        return Task(definition.address, domain=domains[0] if domains else "")
    return Task(
        definition.address,
        _environment(chosen),
        {str(it.get("name")): str(it["valueFrom"]) for it in blocks_in(chosen, "secrets") if it.get("valueFrom")},
        _log_group([chosen, *containers]),
        domains[0] if domains else "",
    )


def _backend(containers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The container with a database that also listens; else the first with a database, else the first."""
    with_database = [one for one in containers if _DATABASE & _names(one)]
    listening = [one for one in with_database if one.get("portMappings")]
    return next(iter((*listening, *with_database, *containers)), None)


def _names(container: Mapping[str, Any]) -> set[str]:
    return {str(it.get("name")) for kind in ("environment", "secrets") for it in blocks_in(container, kind)}


def _environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {str(it["name"]): str(it.get("value", "")) for it in blocks_in(container, "environment") if it.get("name")}


def _domain(environment: Mapping[str, str]) -> str:
    said = environment.get("WEB_DOMAIN") or environment.get("DOMAIN") or ""
    try:
        host = urlsplit(said if "//" in said else f"//{said}").hostname or ""
    except ValueError:
        return ""
    return host if "." in host else ""


def _log_group(containers: Sequence[Mapping[str, Any]]) -> str | None:
    for container in containers:
        logging = container.get("logConfiguration")
        options = logging.get("options") if isinstance(logging, Mapping) else None
        if isinstance(options, Mapping) and options.get("awslogs-group"):
            return str(options["awslogs-group"])
    return None
