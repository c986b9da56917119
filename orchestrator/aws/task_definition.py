"""What a task is made of, as DescribeTaskDefinition says it: containers, environment, secrets, sizes, roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ContainerDefinition:
    """One container. Sizes are MB (None: no limit of its own); `secrets` maps variables to what `valueFrom` says."""

    name: str
    image: str = ""
    memory: int | None = None
    reservation: int | None = None
    essential: bool = True
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    log_group: str = ""
    log_prefix: str = ""
    environment_files: bool = False
    """Whether more variables come from files, which are not read here."""


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One revision. `cpu` in units (1024 = 1 vCPU), `memory` in MB."""

    arn: str
    cpu: int = 0
    memory: int = 0
    execution_role: str = ""
    task_role: str = ""
    containers: tuple[ContainerDefinition, ...] = ()
    active: bool = True
    """Whether ECS takes new deployments with it: not once it was deregistered."""

    def container(self, name: str) -> ContainerDefinition | None:
        """By name."""
        return next((one for one in self.containers if one.name == name), None)

    def variables(self) -> Mapping[str, str]:
        """Every plain variable of the containers; of one that several have, the first container's value."""
        return {name: value for one in reversed(self.containers) for name, value in one.environment.items()}

    def secret_names(self) -> frozenset[str]:
        """Variables that come from a secret."""
        return frozenset(name for one in self.containers for name in one.secrets)

    def secrets(self) -> Iterator[tuple[str, str, str]]:
        """Container, variable, `valueFrom`."""
        for one in self.containers:
            for name, value_from in one.secrets.items():
                yield one.name, name, value_from


def parsed(raw: Mapping[str, Any]) -> TaskDefinition:
    """From the API's `taskDefinition`."""
    return TaskDefinition(
        arn=raw["taskDefinitionArn"],
        cpu=_number(raw.get("cpu")) or 0,
        memory=_number(raw.get("memory")) or 0,
        execution_role=raw.get("executionRoleArn") or "",
        task_role=raw.get("taskRoleArn") or "",
        containers=tuple(map(_container, raw["containerDefinitions"])),
        active=raw.get("status", "ACTIVE") == "ACTIVE",
    )


def _container(raw: Mapping[str, Any]) -> ContainerDefinition:
    options = raw.get("logConfiguration", {}).get("options", {})
    return ContainerDefinition(
        name=raw["name"],
        image=raw.get("image", ""),
        memory=_number(raw.get("memory")),
        reservation=_number(raw.get("memoryReservation")),
        essential=raw.get("essential", True),
        environment={pair["name"]: pair.get("value", "") for pair in raw.get("environment", ())},
        secrets={pair["name"]: pair["valueFrom"] for pair in raw.get("secrets", ())},
        ports=tuple(int(port["containerPort"]) for port in raw.get("portMappings", ()) if port.get("containerPort")),
        log_group=options.get("awslogs-group", ""),
        log_prefix=options.get("awslogs-stream-prefix", ""),
        environment_files=bool(raw.get("environmentFiles")),
    )


def _number(value: Any) -> int | None:
    return int(value) if str(value or "").isdecimal() else None
