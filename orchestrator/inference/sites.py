"""The sites of a stack: ECS services that a listener of a load balancer leads to. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.inference.model import Draft, Key, literal
from orchestrator.inference.state import Resource, State, blocks_in, listed
from orchestrator.inference.tasks import Task, task_of


@dataclass(frozen=True, slots=True)
class Route:
    """A listener's rule (or its default action) that forwards to a target group. `hosts` are its host headers."""

    source: str
    group: str
    listener: Resource | None
    hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Site:
    """One service with a way in. `cluster` is the last part of its cluster's ARN."""

    service: Resource
    cluster: str
    routes: tuple[Route, ...]
    task: Task | None = field(default=None)

    @property
    def name(self) -> str:
        """The service's name: unique in its cluster, and what people call it by."""
        return self.service.text("name")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The distinct host headers, in order."""
        return tuple(dict.fromkeys(host for route in self.routes for host in route.hosts))

    @property
    def balancers(self) -> tuple[str, ...]:
        """ARNs of the load balancers that lead here."""
        arns = (route.listener.text("load_balancer_arn") for route in self.routes if route.listener)
        return tuple(dict.fromkeys(arn for arn in arns if arn))


def sites_of(state: State) -> tuple[Site, ...]:
    """Every service behind a listener; workers without a way in are none."""
    routes = tuple(_routes(state))
    found = []
    for service in state.of("aws_ecs_service"):
        groups = {str(one.get("target_group_arn") or "") for one in service.blocks("load_balancer")}
        ways = tuple(route for route in routes if route.group in groups)
        if ways:
            cluster = service.text("cluster").rsplit("/", 1)[-1] or "default"
            found.append(Site(service, cluster, ways, task_of(service, state)))
    return tuple(found)


def _routes(state: State) -> Iterator[Route]:
    listeners = {it.text("arn"): it for it in state.of("aws_lb_listener", data=True)}
    for rule in state.of("aws_lb_listener_rule"):
        hosts = tuple(
            str(value).lower().rstrip(".")
            for condition in rule.blocks("condition")
            for header in blocks_in(condition, "host_header")
            for value in listed(header.get("values"))
        )
        for group in _forwarded(rule.blocks("action")):
            yield Route(rule.address, group, listeners.get(rule.text("listener_arn")), hosts)
    for listener in listeners.values():
        for group in _forwarded(listener.blocks("default_action")):
            yield Route(listener.address, group, listener)


def _forwarded(actions: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The target groups of the actions: by the short form, and by the one with weights."""
    for action in actions:
        if action.get("target_group_arn"):
            yield str(action["target_group_arn"])
        for forward in blocks_in(action, "forward"):
            for group in blocks_in(forward, "target_group"):
                if group.get("arn"):
                    yield str(group["arn"])


def with_one_service_each(sites: Sequence[Site], draft: Draft) -> tuple[Site, ...]:
    """One service a name: where several share a host name, the one that talks to the database is the tenant's."""
    kept: list[Site] = []
    for site in sites:
        others = [it for it in sites if it is not site and set(it.hosts) & set(site.hosts)]
        backed = site.task is not None and site.task.has_database
        if others and not backed and any(it.task is not None and it.task.has_database for it in others):
            draft.remark(f"{site.service.address} shares its host name and has no database: it is not looked after")
        else:
            kept.append(site)
    return tuple(kept)


def hostname(site: Site, key: Key, draft: Draft) -> None:
    """The site's public name: its only host header, or what its task calls itself if a rule lets that in."""
    exact = [host for host in site.hosts if "*" not in host and "?" not in host]
    domain = site.task.domain.lower() if site.task else ""
    admitted = bool(domain) and (not site.hosts or any(fnmatch.fnmatchcase(domain, host) for host in site.hosts))
    if len(exact) == 1 and len(site.hosts) == 1:
        draft.put(key, exact[0], next(route.source for route in site.routes if exact[0] in route.hosts))
    elif admitted and site.task:
        draft.put(key, domain, f"{site.task.address}: WEB_DOMAIN")
    elif exact:
        draft.ask(key, f"which of its host names is {site.name}'s own?", [literal(host) for host in exact])
    else:
        asks = f"what is {site.name}'s host name? Neither a rule nor WEB_DOMAIN says it"
        draft.ask(key, asks)


def target_group(site: Site, key: Key, draft: Draft) -> None:
    """The group the rules lead to."""
    groups = dict.fromkeys(route.group for route in site.routes)
    if len(groups) == 1:
        group = next(iter(groups))
        draft.put(key, group, next(route.source for route in site.routes if route.group == group))
    else:
        asks = f"which target group is {site.name}'s?"
        draft.ask(key, asks, [literal(group) for group in groups])
