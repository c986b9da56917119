"""The sites of a stack: ECS services that a load balancer's listener forwards to. Pure."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.stack.blueprint.resources import Resource, Resources, host_headers
from orchestrator.stack.inference import entrances, evidence
from orchestrator.stack.inference.mapping import NOT_TENANTS
from orchestrator.stack.inference.model import ContractDraft, Key, OpenQuestion, Option, literal
from orchestrator.stack.inference.tasks import BackendTask, task_of
from orchestrator.stack.records import plain


@dataclass(frozen=True, slots=True)
class Route:
    """A listener's rule (or its default action) that forwards to a target group. `hosts` are its host headers.

    `listener` is None where the state doesn't hold it; its ARN is known all the same.
    """

    address: str
    group: str
    listener: Resource | None
    hosts: tuple[str, ...] = ()
    listener_arn: str = ""

    @property
    def target_source(self) -> str:
        """Where its target group stands."""
        return f"{self.address}: {'default_action' if self.is_default else 'action'}"

    @property
    def host_source(self) -> str:
        """Where its host headers stand."""
        return f"{self.address}: condition"

    @property
    def is_default(self) -> bool:
        """Whether it is its listener's default action."""
        return self.listener is not None and self.listener.address == self.address

    @property
    def balancer(self) -> str:
        """The ARN of the load balancer: a listener's own ARN has its name and id (`:listener/app/NAME/ID/…`)."""
        said = self.listener.text("load_balancer_arn") if self.listener else ""
        named = self.listener_arn.rpartition("/")[0].replace(":listener/", ":loadbalancer/")
        return said or (named if ":loadbalancer/" in named else "")


@dataclass(frozen=True, slots=True)
class Site:
    """One service with a way in."""

    service: Resource
    cluster: str
    """As the service says it: an ARN, or a name."""
    routes: tuple[Route, ...]
    task: BackendTask | None = field(default=None)
    called: str = ""
    """What tells it from a service of the same name in another cluster; empty: there is none."""

    @property
    def name(self) -> str:
        """What people call it by: the service's name, which is unique in its cluster."""
        return self.called or self.service_name

    @property
    def service_name(self) -> str:
        """The service's own name."""
        return self.service.text("name")

    @property
    def hosts(self) -> tuple[str, ...]:
        """The distinct host headers, in order."""
        return tuple(dict.fromkeys(host for route in self.routes for host in route.hosts))

    @property
    def cluster_name(self) -> str:
        """The cluster's name."""
        return self.cluster.rsplit("/", 1)[-1] or "default"

    @property
    def backed(self) -> bool:
        """Whether its task is told of a database."""
        return self.task is not None and self.task.has_database

    def shares_a_name(self, other: Site) -> bool:
        """Whether visitors of one hostname may get to both: by path, or where neither rule asks for a host."""
        if self.hosts or other.hosts:
            return bool(set(self.hosts) & set(other.hosts))
        return bool(set(self.balancers) & set(other.balancers))

    @property
    def balancers(self) -> tuple[str, ...]:
        """ARNs of the load balancers that lead here."""
        return tuple(dict.fromkeys(route.balancer for route in self.routes if route.balancer))


def sites_of(state: Resources) -> tuple[Site, ...]:
    """Every service behind a listener; workers without a way in are none."""
    routes = tuple(_routes(state))
    found = []
    for service in state.of("aws_ecs_service"):
        groups = set(entrances.groups_of(service, state))
        ways = tuple(route for route in routes if route.group in groups)
        if ways:
            found.append(Site(service, service.text("cluster"), ways, task_of(service, state)))
    return tuple(found)


_NO_SITES = frozenset({"TCP", "UDP", "TCP_UDP", "TLS"})
"""A network load balancer's: it knows connections, no host names, paths or answers."""


def _routes(state: Resources) -> Iterator[Route]:
    known = state.of("aws_lb_listener", data=True)
    listeners = {it.text("arn"): it for it in known if it.text("protocol") not in _NO_SITES}
    for rule in state.of("aws_lb_listener_rule"):
        hosts = tuple(plain(host) for condition in rule.blocks("condition") for host in host_headers(condition))
        for group in entrances.forwarded(rule.blocks("action")):
            arn = rule.text("listener_arn")
            yield Route(rule.address, group, listeners.get(arn), hosts, arn)
    for listener in listeners.values():
        for group in entrances.forwarded(listener.blocks("default_action")):
            yield Route(listener.address, group, listener)


def tenants_among(sites: Sequence[Site], draft: ContractDraft) -> tuple[Site, ...]:
    """One service a name: those that orchestrate.toml calls no tenants are left out, then those without a database.

    Where several are left, it is asked which of them is the tenant; until that is said none of them is.
    """
    said = draft.mapped.not_tenants
    names = {it.name for it in sites}
    for name in sorted(said - names):
        fix = f"the services behind a listener are {', '.join(sorted(names)) or 'none'}"
        draft.wrong((NOT_TENANTS,), "mapping-service-unknown", f"there is no service {name!r} to leave out", fix)
    candidates = [it for it in sites if it.name not in said]
    kept: list[Site] = []
    asked: set[str] = set()
    for site in candidates:
        others = [it for it in candidates if it is not site and site.shares_a_name(it)]
        rivals = [it for it in others if it.backed]
        if others and not site.backed and rivals:
            draft.remark(
                f"{site.service.address} shares its host name and has no database: orchestrate does not manage it"
            )
        elif site.backed and rivals:
            if site.name not in asked:
                asked |= {site.name, *(it.name for it in rivals)}
                _ask_which([site, *rivals], draft)
        else:
            kept.append(site)
    return tuple(kept)


def _ask_which(rivals: Sequence[Site], draft: ContractDraft) -> None:
    names = [it.name for it in rivals]
    where = ", ".join(dict.fromkeys(host for it in rivals for host in it.hosts)) or "visitors of one load balancer"
    options = [Option([other for other in names if other != name], f"{name} is the tenant") for name in names]
    asks = f"{', '.join(it.service.address for it in rivals)} all serve {where}: which of them is the tenant?"
    draft.questions.append(
        OpenQuestion((NOT_TENANTS,), asks, tuple(options))
    )  # said of others, it is still open of these


def hostname(site: Site, key: Key, draft: ContractDraft, state: Resources, everywhere: Sequence[Site]) -> None:
    """The site's public name, on evidence that names it.

    That is its only host header; what its task calls itself, where a rule lets that in and nothing in the state says
    otherwise (`DOMAIN`, which applications use for other things too, only where a certificate or a record knows it as
    well); where no rule of its load balancer asks for a host, the one name that leads there.
    """
    site = towards(site, key[:2], draft)
    differ = len({frozenset(it.hosts) for it in site.routes}) > 1 and len({it.group for it in site.routes}) > 1
    if differ and not draft.mapped.says((*key[:2], "target_group_arn")):
        return  # it follows from the target group, which is asked
    exact = [host for host in site.hosts if "*" not in host and "?" not in host]
    if len(exact) == 1 and len(site.hosts) == 1:
        draft.put(key, exact[0], next(it.host_source for it in site.routes if exact[0] in it.hosts))
        return
    others = [it for it in everywhere if it.service.address != site.service.address]
    alone = not any((it.hosts or site.hosts) and set(it.balancers) & set(site.balancers) for it in others)
    names = evidence.names_of(state, site.balancers)
    theirs = {host for it in others for host in it.hosts}
    claimed = []
    for variable, host in (site.task.domains if site.task else {}).items():
        onyx = variable == "WEB_DOMAIN" and site.task is not None and site.task.is_onyx
        admitted = not site.hosts or any(fnmatch.fnmatchcase(host, pattern) for pattern in site.hosts)
        proven = variable == "WEB_DOMAIN" or names.knows(host) or bool(site.hosts)
        denied = host in theirs or (not onyx and (names.lead_elsewhere(host) or (alone and names.say_another(host))))
        if site.task and admitted and proven and not denied:
            draft.put(key, host, site.task.source(variable))
            return
        claimed += [host] if variable == "WEB_DOMAIN" and admitted else []
    leading = names.leading if alone and not site.hosts else {}
    if exact:
        draft.ask(key, f"which of its host names is {site.name}'s own?", [literal(host) for host in exact])
    elif len(leading) == 1 and not claimed:
        ((host, source),) = leading.items()
        draft.put(key, host, source)
    else:
        asks = f"what is {site.name}'s host name? Neither a rule nor WEB_DOMAIN nor a single record shows it"
        asks = f"what is {site.name}'s host name? WEB_DOMAIN and the records differ" if claimed and leading else asks
        draft.ask(key, asks, [literal(host) for host in dict.fromkeys([*leading, *claimed])])


def towards(site: Site, key: Key, draft: ContractDraft) -> Site:
    """The same with the ways to the target group that orchestrate.toml names alone; `key` is the tenant's."""
    said = draft.mapped.values.get((*key, "target_group_arn"))
    led = tuple(it for it in site.routes if it.group == said)
    return replace(site, routes=led) if led else site


def by_one_balancer(site: Site, arn: str) -> Site:
    """The same with the ways through this load balancer alone."""
    return replace(site, routes=tuple(it for it in site.routes if it.balancer in (arn, "")))


def target_group(site: Site, key: Key, draft: ContractDraft) -> None:
    """The group the rules lead to. Where it is asked which load balancer does, it follows from that."""
    if {one.key for one in draft.questions} & {("load_balancer",), (*key[:2], "load_balancer")}:
        return
    groups = dict.fromkeys(route.group for route in site.routes)
    if len(groups) == 1:
        group = next(iter(groups))
        draft.put(key, group, next(it.target_source for it in site.routes if it.group == group))
    else:
        asks = f"which target group is {site.name}'s?"
        draft.ask(key, asks, [literal(group) for group in groups])
