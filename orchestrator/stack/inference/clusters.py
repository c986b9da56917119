"""The ECS clusters whose services are the stack's sites. Pure."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference import database
from orchestrator.stack.inference.choice import pick
from orchestrator.stack.inference.model import ContractDraft, literal
from orchestrator.stack.inference.servers import servers
from orchestrator.stack.inference.sites import Site

KEY = ("cluster",)
DEFAULT = "default"
"""ECS's own cluster: where services are that name none."""
LONGEST = 64
"""Characters of a tenant's name (stack/values.py)."""
Clusters = Mapping[str, Resource]
"""By name."""
_TOLD_BY = "arn_told_by"
"""Of a cluster that isn't in the state: where its ARN, or that of something beside it, stands."""


def clusters_of(state: Resources, sites: Sequence[Site], draft: ContractDraft) -> Clusters:
    """Those whose services have a way in. With their databases on one server they are one stack's; else it is asked.

    A cluster none of whose services has a database is not asked about beside one that has.
    """
    known = {_name(it): it for it in state.of("aws_ecs_cluster", data=True)}
    used = {it.cluster_name: known.get(it.cluster_name) or _elsewhere(it) for it in sites}
    backed = {it.cluster_name for it in sites if it.backed or it.task is None}
    used = {name: it for name, it in used.items() if name in backed} or used
    together = len({it.arn_parts for it in used.values()}) == 1 and _one_server(state, sites)
    if len(used) > 1 and together and not draft.mapped.says(KEY):
        return used
    chosen = pick(KEY, list((used or known).values()), draft, "which ECS cluster is the stack's?", "name")
    return {_name(chosen): chosen} if chosen is not None else {}


def _one_server(state: Resources, sites: Sequence[Site]) -> bool:
    """Whether every cluster's databases are seen to be on the same server."""
    seen: dict[str, set[str]] = {}
    for site in sites:
        if site.backed:
            way = database.way_of(site, state)
            named = way.server.address if way is not None else database.host_of(site)[0]
            seen.setdefault(site.cluster_name, set()).update([named] if named else [])
    every = {named for some in seen.values() for named in some}
    return (len(every) == 1 and all(seen.values())) or (not every and len(servers(state)) == 1)


def _name(cluster: Resource) -> str:
    """A data source calls it otherwise."""
    return cluster.text("name") or cluster.text("cluster_name")


def _elsewhere(site: Site) -> Resource:
    """A cluster that isn't in the state, as the service tells of it: its ARN says region and account.

    Where the service gives the name alone, its own ARN does: a service is where its cluster is.
    """
    service, route = site.service, site.routes[0]
    own = [(service.text(name), service.place(name)) for name in ("cluster", "arn", "id")]
    arn, source = next((it for it in own if it[0].startswith("arn:")), (route.group, route.target_source))
    said = {"name": site.cluster_name, "arn": arn, _TOLD_BY: source}
    return Resource(service.place("cluster", "arn", "id"), "aws_ecs_cluster", values=said)


def told_apart(sites: Sequence[Site]) -> list[Site]:
    """The same; services of one name in several clusters are called by their cluster too.

    ECS gives a service a longer name than a tenant may have: then its end gives way to a digest.
    """
    counted = Counter(it.service_name for it in sites)
    taken = {it.service_name for it in sites}
    names = [it.service_name if counted[it.service_name] == 1 else _called(it, taken) for it in sites]
    return [replace(it, called=_short(name)) for it, name in zip(sites, names, strict=True)]


def _short(name: str) -> str:
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 7]}-{digest}"


def _called(site: Site, taken: set[str]) -> str:
    plain = f"{site.cluster_name}-{site.service_name}"
    return f"{site.cluster_name}.{site.service_name}" if plain in taken else plain


def place(clusters: Clusters, draft: ContractDraft) -> None:
    """Where the stack is: a cluster's ARN tells region and account."""
    first = next(iter(clusters.values()))
    region, account = first.arn_parts
    source = first.text(_TOLD_BY) or first.place("arn")
    draft.put(("region",), region, source)
    draft.put(("account_id",), account, source)


def describe(clusters: Clusters, sites: Sequence[Site], draft: ContractDraft) -> None:
    """The stack's: the one with most of its sites, the first among equals. The others are their tenants'."""
    counted = Counter(it.cluster_name for it in sites)
    used = [name for name in clusters if counted[name]] or list(clusters)
    main = max(used, key=lambda name: counted[name])
    source = clusters[main].place("name", "cluster_name")
    draft.put(KEY, main, source)
    if main == DEFAULT:
        asks = f"what is the stack called? Its services are in the cluster `{DEFAULT}`, which any stack may use"
        draft.ask(("stack",), asks)
    elif len(used) == 1:
        draft.put(("stack",), main.removesuffix("-cluster"), source)
    else:
        asks = f"what is the stack called? It has the clusters {', '.join(used)}"
        draft.ask(("stack",), asks, [literal(name.removesuffix("-cluster")) for name in used])
    for site in sites:
        if site.cluster_name != main:
            draft.put(("tenants", site.name, "cluster"), site.cluster_name, site.service.place("cluster"))
