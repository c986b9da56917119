"""The PostgreSQL servers of a state, and which of them a task's host is: by its address, a proxy, or a record. Pure.

An instance, a cluster and a machine with PostgreSQL on it are told in one set of words (`identifier`, `address`,
`port`, `username`, `password`, `master_user_secret`, `vpc_security_group_ids`): what leans on a server need not know
its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.records import plain

INSTANCE, CLUSTER, MACHINE = "aws_db_instance", "aws_rds_cluster", "aws_instance"
_RDS = re.compile(
    r"^([a-z][a-z0-9-]*)\.(?:endpoint\.)?(cluster-|cluster-ro-|cluster-custom-|proxy-)?[a-z0-9]+"
    r"\.(?:[a-z0-9-]+\.rds|rds\.[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$"
)
"""NAME.HASH.REGION.rds.amazonaws.com; in China REGION stands behind `rds`."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a host leads to a server: the server, and where the host stands. `reads`: to its readers alone."""

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


def way_to(host: str, state: Resources) -> Way | None:
    """The server that this host is; None: nothing of the state is known to be at it."""
    seen, first = {host}, ""
    while host:
        if found := _at(host, state):
            return Way(found.server, first or found.source, found.reads)
        record = next((it for it in state.of("aws_route53_record") if _named(it) == host), None)
        first = first or (record.address if record else "")
        host = next((plain(it) for it in record.texts("records")), "") if record else ""
        if host in seen:
            return None
        seen.add(host)
    return None


def _named(record: Resource) -> str:
    return plain(record.text("fqdn") or record.text("name"))


def _at(host: str, state: Resources) -> Way | None:
    known = servers(state)
    for one in known:
        if one.text("address") == host:
            return Way(one, one.address)
        if plain(one.text("reader_endpoint")) == host:
            return Way(one, f"{one.address}: reader_endpoint", reads=True)
    for address, identifier, kind, reads in (*_members(host, state), *_custom(host, state), *_proxied(host, state)):
        for one in known:
            if (one.type, one.text("identifier")) == (kind, identifier):
                return Way(one, address, reads)
    return _machine(host, state)


def _members(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    for one in state.of("aws_rds_cluster_instance", data=True):
        if plain(one.text("endpoint")) == host:
            yield one.address, one.text("cluster_identifier"), CLUSTER, one.values.get("writer") is not True


def _custom(host: str, state: Resources) -> Iterator[tuple[str, str, str, bool]]:
    for one in state.of("aws_rds_cluster_endpoint"):
        if plain(one.text("endpoint")) == host:
            yield one.address, one.text("cluster_identifier"), CLUSTER, one.text("custom_endpoint_type") == "READER"


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
            yield door.address, name, CLUSTER, reads
        elif name := target.text("db_instance_identifier"):
            yield door.address, name, INSTANCE, reads


def _is(one: Resource, host: str) -> bool:
    return plain(one.text("endpoint")) == host


def _machine(host: str, state: Resources) -> Way | None:
    """An instance of EC2 that has this address: PostgreSQL runs on it."""
    names = ("private_ip", "private_dns", "public_ip", "public_dns")
    for one in state.of(MACHINE):
        for name in names:
            if plain(one.text(name)) == host:
                source = f"{one.address}: {name}"
                return Way(elsewhere(host, source, machine=one), source)
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
