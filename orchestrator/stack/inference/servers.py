"""The PostgreSQL servers of a state, and which of them a task's host is: by its address, a proxy, or a record. Pure.

An instance, a cluster and a machine with PostgreSQL on it are told in one set of words (`identifier`, `address`,
`port`, `username`, `password`, `master_user_secret`, `vpc_security_group_ids`): what leans on a server need not know
its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.records import plain

_NAMESPACES = ("aws_service_discovery_private_dns_namespace", "aws_service_discovery_public_dns_namespace")
INSTANCE, CLUSTER, MACHINE = "aws_db_instance", "aws_rds_cluster", "aws_instance"
_RDS = re.compile(
    r"^([a-z][a-z0-9-]*)\.(?:endpoint\.)?(cluster-|cluster-ro-|cluster-custom-|proxy-)?[a-z0-9]+"
    r"\.(?:[a-z0-9-]+\.rds|rds\.[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$"
)
"""NAME.HASH.REGION.rds.amazonaws.com; in China REGION stands behind `rds`."""


@dataclass(frozen=True, slots=True)
class ServerPath:
    """The server behind a host, and where the host was found. `reads`: its readers only."""

    server: Resource
    source: str
    reads: bool = False


def servers(state: Resources) -> list[Resource]:
    """PostgreSQL that can be written to: instances and clusters, replicas and clusters' members left out."""
    return [*map(_instance, filter(_writes, state.of(INSTANCE, data=True))), *clusters(state)]


def clusters(state: Resources) -> list[Resource]:
    """Aurora and Multi-AZ clusters with PostgreSQL, what follows another cluster left out."""
    return [
        _cluster(it)
        for it in state.of(CLUSTER, data=True)
        if "postgres" in it.text("engine") and not it.text("replication_source_identifier")
    ]


def _writes(one: Resource) -> bool:
    follows = one.text("replicate_source_db") or one.text("replicate_source") or one.text("db_cluster_identifier")
    return one.text("engine").startswith("postgres") and not follows


def _instance(one: Resource) -> Resource:
    """A data source calls some of them otherwise."""
    values = {
        **one.values,
        "identifier": one.text("identifier") or one.text("db_instance_identifier"),
        "address": plain(one.text("address")),
        "username": one.text("username") or one.text("master_username"),
    }
    return replace(one, values=values)


def _cluster(one: Resource) -> Resource:
    values = {
        **one.values,
        "identifier": one.text("cluster_identifier"),
        "address": plain(one.text("endpoint")),
        "username": one.text("master_username"),
        "password": one.text("master_password"),
    }
    return replace(one, values=values)


_WORDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    INSTANCE: {
        "identifier": ("db_instance_identifier", "identifier"),
        "username": ("master_username", "username"),
    },
    CLUSTER: {
        "identifier": ("cluster_identifier",),
        "address": ("endpoint",),
        "username": ("master_username",),
        "password": ("master_password",),
    },
}
"""Of the words that servers are told in, those that Terraform calls otherwise: a data source's word first."""


def place(server: Resource, word: str) -> str:
    """Where what a server is told in this word stands, in Terraform's own."""
    return server.place(*_WORDS.get(server.type, {}).get(word, (word,)))


def way_to(host: str, state: Resources) -> ServerPath | None:
    """The server that this host is; None: nothing of the state is known to be at it."""
    seen, first = {host}, ""
    while host:
        if found := _at(host, state):
            return ServerPath(found.server, first or found.source, found.reads)
        source, host = next(((at, to) for at, name, to in _pointers(state) if name == host), ("", ""))
        first = first or source
        if host in seen:
            return None
        seen.add(host)
    return None


def _pointers(state: Resources) -> Iterator[tuple[str, str, str]]:
    """Address, name and target of what leads from one name to another: records, and Cloud Map."""
    for one in state.of("aws_route53_record"):
        for target in one.texts("records")[:1]:
            yield one.place("fqdn", "name"), plain(one.text("fqdn") or one.text("name")), plain(target)
    spaces = {it.text("id"): it.text("name") for it in state.of(*_NAMESPACES, data=True)}
    services = {it.text("id"): it for it in state.of("aws_service_discovery_service", data=True)}
    for one in state.of("aws_service_discovery_instance"):
        service = services.get(one.text("service_id"))
        space = spaces.get(service.text("dns_config", 0, "namespace_id"), "") if service else ""
        for key in ("AWS_INSTANCE_CNAME", "AWS_INSTANCE_IPV4"):
            if service and space and (target := one.text("attributes", key)):
                yield service.place("name"), plain(f"{service.text('name')}.{space}"), plain(target)


def _at(host: str, state: Resources) -> ServerPath | None:
    known = servers(state)
    for one in known:
        if one.text("address") == host:
            return ServerPath(one, place(one, "address"))
        if plain(one.text("reader_endpoint")) == host:
            return ServerPath(one, f"{one.address}: reader_endpoint", reads=True)
    doors = (_members, _custom, _proxied, _replicas, _worldwide)
    for address, identifier, kind, reads in (it for find in doors for it in find(host, state)):
        for one in known:
            if (one.type, one.text("identifier")) == (kind, identifier):
                return ServerPath(one, address, reads)
    return _machine(host, state)


def _members(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    for one in state.of("aws_rds_cluster_instance", data=True):
        if plain(one.text("endpoint")) == host:
            yield one.place("endpoint"), one.text("cluster_identifier"), CLUSTER, one.values.get("writer") is not True


def _custom(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    for one in state.of("aws_rds_cluster_endpoint"):
        if plain(one.text("endpoint")) == host:
            reads = one.text("custom_endpoint_type") == "READER"
            yield one.place("endpoint"), one.text("cluster_identifier"), CLUSTER, reads


def _proxied(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    """RDS Proxy keeps no data: what is administered is the server behind it."""
    proxies = {(it.text("name") or it.text("id")): it for it in state.of("aws_db_proxy", data=True) if _is(it, host)}
    proxies |= {it.text("db_proxy_name"): it for it in state.of("aws_db_proxy_endpoint") if _is(it, host)}
    for target in state.of("aws_db_proxy_target"):
        door = proxies.get(target.text("db_proxy_name"))
        if door is None:
            continue
        reads = door.text("target_role") == "READ_ONLY"
        if name := target.text("db_cluster_identifier"):
            yield door.place("endpoint"), name, CLUSTER, reads
        elif name := target.text("db_instance_identifier"):
            yield door.place("endpoint"), name, INSTANCE, reads


def _replicas(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    """What follows another is read from alone; its source is named by identifier, or by ARN."""
    for one in state.of(INSTANCE, data=True):
        follows = one.text("replicate_source_db") or one.text("replicate_source")
        if follows and plain(one.text("address")) == host:
            yield one.place("address"), follows.rsplit(":", 1)[-1], INSTANCE, True


def _worldwide(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    """A global database's endpoint leads to its primary cluster: known where only one of its clusters is here."""
    for one in state.of("aws_rds_global_cluster", data=True):
        name = one.text("global_cluster_identifier") or one.text("identifier")
        here = [it for it in state.of(CLUSTER) if name and it.text("global_cluster_identifier") == name]
        if _is(one, host) and len(here) == 1:
            yield one.place("endpoint"), here[0].text("cluster_identifier"), CLUSTER, False


def _is(one: Resource, host: str) -> bool:
    return plain(one.text("endpoint")) == host


def _machine(host: str, state: Resources) -> ServerPath | None:
    """An instance of EC2 that has this address: PostgreSQL runs on it."""
    names = ("private_ip", "private_dns", "public_ip", "public_dns")
    for one in state.of(MACHINE):
        for name in (*names, "ipv6_addresses"):
            if host in (plain(one.text(name)), *map(plain, one.texts(name))):
                source = f"{one.address}: {name}"
                return ServerPath(elsewhere(host, source, machine=one), source)
    return None


def elsewhere(host: str, source: str, *, machine: Resource | None = None, **more: object) -> Resource:
    """A server that isn't RDS's, as far as its host tells; `more` is what is said of it elsewhere."""
    groups = machine.texts("vpc_security_group_ids") if machine else ()
    return Resource(source, MACHINE, values={**more, "address": host, "vpc_security_group_ids": list(groups)})


def name_in_rds(host: str) -> str:
    """What RDS calls the server of this endpoint; empty: it is none of RDS's, or a proxy's."""
    found = _RDS.match(host)
    return found[1] if found and found[2] != "proxy-" else ""


def in_rds(host: str) -> str:
    """`instance`, `cluster` or `proxy` for an endpoint of RDS; empty: it is none."""
    found = _RDS.match(host)
    if found is None:
        return ""
    kind = found[2] or ""
    return "proxy" if kind == "proxy-" else "cluster" if kind else "instance"
