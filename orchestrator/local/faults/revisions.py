"""Other task definitions for the services of a fault's tenant: several faults at once, each undone by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from orchestrator.local.faults.manual_changes import Console, Undo

Definition = dict[str, Any]
"""A task definition as RegisterTaskDefinition takes it."""
Change = Callable[[Definition], Definition]
"""A new one from it; the given one stays as it is."""
_KEPT = (
    "family", "networkMode", "requiresCompatibilities", "cpu", "memory", "executionRoleArn", "taskRoleArn",
    "containerDefinitions",
)  # fmt: skip
_CHANGED: dict[str, tuple[str, list[Change]]] = {}
"""By service the revision it had before the first change, and the changes that are on."""


def change_definition(console: Console, change: Change) -> Iterator[Undo]:
    """The services use a changed revision of their task definition. Changes add up, and each is undone by itself.

    Left out: a revision that somebody else made meanwhile is lost.
    """
    for service in console.services():
        arn = service["serviceArn"]
        _CHANGED.setdefault(arn, (service["taskDefinition"], []))[1].append(change)
        _use(console, service)
        yield partial(_take_back, console, service, change)


def _take_back(console: Console, service: dict[str, Any], change: Change) -> None:
    _CHANGED[service["serviceArn"]][1].remove(change)
    _use(console, service)


def _use(console: Console, service: dict[str, Any]) -> None:
    """The service gets its own revision with all changes that are on."""
    ecs, (own, changes) = console.client("ecs"), _CHANGED[service["serviceArn"]]
    wanted = own
    if changes:
        old = ecs.describe_task_definition(taskDefinition=own)["taskDefinition"]
        made = {key: old[key] for key in _KEPT if key in old}
        for change in changes:
            made = change(made)
        wanted = ecs.register_task_definition(**made)["taskDefinition"]["taskDefinitionArn"]
    else:
        del _CHANGED[service["serviceArn"]]
    ecs.update_service(cluster=service["clusterArn"], service=service["serviceName"], taskDefinition=wanted)


def again(ecs: Any, service: dict[str, Any]) -> None:
    """The service uses the same once more, under a new number."""
    old = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    wanted = ecs.register_task_definition(**{key: old[key] for key in _KEPT if key in old})["taskDefinition"]
    ecs.update_service(
        cluster=service["clusterArn"], service=service["serviceName"], taskDefinition=wanted["taskDefinitionArn"]
    )


def each_container(change: Change) -> Change:
    """The same change for every container."""
    return lambda made: {**made, "containerDefinitions": [change(one) for one in made["containerDefinitions"]]}


def backend(change: Change) -> Change:
    """The same change for the containers that have Onyx's settings: api and background."""
    return each_container(lambda one: change(one) if one.get("secrets") else one)


def set_variable(name: str, value: Callable[[str], str]) -> Change:
    """The backend's variable gets what `value` makes of it (of the empty string where it was not set)."""

    def change(container: Definition) -> Definition:
        said = {pair["name"]: pair["value"] for pair in container.get("environment", ())}
        said[name] = value(said.get(name, ""))
        return {**container, "environment": [{"name": key, "value": said[key]} for key in said]}

    return backend(change)
