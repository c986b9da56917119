"""By which target groups visitors come to a service, and which of them a listener sends visitors to. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.stack.blueprint.resources import Resource, Resources, blocks_in


def groups_of(service: Resource, state: Resources) -> Iterator[str]:
    """ARNs: the service's own, the one that a blue/green deployment changes to, and those of its task sets."""
    for block in (*service.blocks("load_balancer"), *(it for one in sets_of(service, state) for it in _ways(one))):
        yield str(block.get("target_group_arn") or "")
        for more in blocks_in(block.get("advanced_configuration")):
            yield str(more.get("alternate_target_group_arn") or "")
    named = {it.text("name"): it.text("arn") for it in state.of("aws_lb_target_group", data=True)}
    for one in state.of("aws_codedeploy_deployment_group"):
        if any(_is(service, it.get("cluster_name"), it.get("service_name")) for it in one.blocks("ecs_service")):
            yield from (named[name] for name in _pair(one) if name in named)


def sets_of(service: Resource, state: Resources) -> Sequence[Resource]:
    """The task sets of a service whose deployments another controller makes: what it would say itself, they say."""
    return [it for it in state.of("aws_ecs_task_set") if _is(service, it.text("cluster"), it.text("service"))]


def _ways(task_set: Resource) -> Sequence[Mapping[str, Any]]:
    return task_set.blocks("load_balancer")


def _is(service: Resource, cluster: Any, name: Any) -> bool:
    """ARNs end with the name."""
    here = (service.text("cluster").rsplit("/", 1)[-1] or "default", service.text("name"))
    return here == (str(cluster or "default").rsplit("/", 1)[-1], str(name).rsplit("/", 1)[-1])


def _pair(deployments: Resource) -> Iterator[str]:
    for info in deployments.blocks("load_balancer_info"):
        for pair in blocks_in(info.get("target_group_pair_info")):
            yield from (str(one.get("name")) for one in blocks_in(pair.get("target_group")))


def forwarded(actions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The target groups of the actions that get visitors: by the short form, and by the one with weights."""
    for action in actions:
        if action.get("target_group_arn"):
            yield str(action["target_group_arn"])
        for forward in blocks_in(action.get("forward")):
            groups = [one for one in blocks_in(forward.get("target_group")) if one.get("arn")]
            weighty = [one for one in groups if one.get("weight") != 0]
            yield from (str(one["arn"]) for one in weighty or groups)
