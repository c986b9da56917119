"""What a stack may have: bucket, Redis, search indexes, a zone for its names. Pure; what isn't there is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.inference.model import ContractDraft
from orchestrator.stack.inference.secrets import SecretStores
from orchestrator.stack.inference.sites import Site
from orchestrator.stack.inference.tasks import BackendTask
from orchestrator.stack.records import distribution_of, is_private, plain, records_of


def describe(state: Resources, sites: Sequence[Site], vault: SecretStores, draft: ContractDraft) -> None:
    """Every optional part."""
    tasks = {site.name: site.task for site in sites if site.task}
    _bucket(tasks.values(), draft)
    _redis(state, tasks.values(), vault, draft)
    for name, task in tasks.items():
        _vespa(state, name, task, draft)
        _opensearch(state, name, task, vault, draft)
    _dns(state, draft)


def _bucket(tasks: Iterable[BackendTask], draft: ContractDraft) -> None:
    told = {task.says("S3_FILE_STORE_BUCKET_NAME"): task for task in tasks}
    told.pop("", None)
    if len(told) == 1:
        ((name, task),) = told.items()
        draft.put(("bucket",), name, task.source("S3_FILE_STORE_BUCKET_NAME"))
    elif told:
        draft.remark(f"{len(told)} buckets are in use: orchestrate manages none of them")


def _redis(state: Resources, tasks: Iterable[BackendTask], vault: SecretStores, draft: ContractDraft) -> None:
    groups: dict[str, tuple[Resource, BackendTask, str]] = {}
    for task in tasks:
        for group in state.of("aws_elasticache_replication_group"):
            if said_by := _named(group, plain(task.says("REDIS_HOST")), _ENDPOINTS):
                groups[group.address] = (group, task, said_by)
    hosts = dict.fromkeys(host for task in tasks if (host := plain(task.says("REDIS_HOST"))))
    if hosts and not groups:
        draft.remark(f"Redis at {', '.join(hosts)} is left out: no replication group of the state is called so")
    if len(groups) > 1:
        draft.remark(f"{len(groups)} replication groups are in use: orchestrate manages none of them")
    if len(groups) != 1:
        return
    ((group, task, said_by),) = groups.values()
    name, port = group.text("replication_group_id") or group.text("id"), group.values.get("port")
    draft.put(("redis", "replication_group"), name, group.place("replication_group_id", "id"))
    draft.put(("redis", "host"), task.says("REDIS_HOST"), said_by)
    if port:
        draft.put(("redis", "port"), port, group.place("port"))
    told = task.secrets.get("REDIS_PASSWORD", "")
    # A token that Terraform sets itself is Terraform's; one that only a secret holds is ours to set.
    if ":secretsmanager:" in told and not vault.place(told).key and not group.text("auth_token"):
        draft.put(("redis", "auth_secret_arn"), vault.place(told).arn, task.source("REDIS_PASSWORD"))


def _vespa(state: Resources, tenant: str, task: BackendTask, draft: ContractDraft) -> None:
    host = task.says("VESPA_HOST")
    instance, said_by = _instance_at(host, state)
    if instance is None:
        if host:
            draft.remark(f"{tenant}: Vespa at {host} is left out: no instance of the state has this address")
        return
    values: dict[str, tuple[object, str]] = {
        "instance_id": (instance.text("id"), instance.place("id")),
        "host": (host, said_by),
    }
    for key, variable in (("port", "VESPA_PORT"), ("config_port", "VESPA_TENANT_PORT")):
        if task.says(variable).isdigit():
            values[key] = int(task.says(variable)), task.source(variable)
    draft.put_all(("vespa", tenant), values)


def _opensearch(state: Resources, tenant: str, task: BackendTask, vault: SecretStores, draft: ContractDraft) -> None:
    """A node on an instance, whose password is in Secrets Manager: without it nobody can ask the node anything."""
    host, told = task.says("OPENSEARCH_HOST"), task.secrets.get("OPENSEARCH_ADMIN_PASSWORD", "")
    instance, said_by = _instance_at(host, state)
    if instance is None:
        if host:
            draft.remark(f"{tenant}: OpenSearch at {host} is left out: no instance of the state has this address")
        return
    if ":secretsmanager:" not in told:
        draft.remark(f"{instance.address}: OpenSearch is left out, its password is in no secret of Secrets Manager")
        return
    place = vault.place(told)
    secret, user, port = "OPENSEARCH_ADMIN_PASSWORD", "OPENSEARCH_ADMIN_USERNAME", "OPENSEARCH_REST_API_PORT"
    values: dict[str, tuple[object, str]] = {
        "instance_id": (instance.text("id"), instance.place("id")),
        "host": (host, said_by),
        "secret_arn": (place.arn, task.source(secret)),
        "secret_key": (place.key or "", task.source(secret)),
    }
    if task.says(user):
        values["admin_user"] = task.says(user), task.source(user)
    if task.says(port).isdigit():
        values["port"] = int(task.says(port)), task.source(port)
    draft.put_all(("tenants", tenant, "index", "opensearch"), values)


_ENDPOINTS = ("primary_endpoint_address", "configuration_endpoint_address")
_NAMES = ("private_ip", "private_dns", "public_ip", "public_dns")


def _instance_at(host: str, state: Resources) -> tuple[Resource | None, str]:
    """The instance of this name or address, and where that stands."""
    known = ((it, _named(it, plain(host), _NAMES)) for it in state.of("aws_instance"))
    return next(((it, said_by) for it, said_by in known if said_by), (None, ""))


def _named(one: Resource, host: str, names: Sequence[str]) -> str:
    """Where the resource is called so; empty: it isn't."""
    return next((one.place(name) for name in names if host and plain(one.text(name)) == host), "")


def _dns(state: Resources, draft: ContractDraft) -> None:
    """Route 53, where the state knows the public zone of every name; a record of Terraform's own stays its own."""
    hosts = _hosts(draft)
    if draft.mapped.says(("dns",)) or not hosts:
        return
    everything = tuple(state.everything())
    records = records_of(everything)
    fronts = {host: found for host in hosts.values() if (found := distribution_of(host, everything)) is not None}
    for host, distribution in fronts.items():
        draft.remark(f"{host} is an alias of {distribution.address}: its record points there, and is left alone")
    hosts = {tenant: host for tenant, host in hosts.items() if host not in fronts}
    if not hosts:
        return
    if all(any(record.is_for(host) for record in records) for host in hosts.values()):
        draft.remark("Terraform has records for every host name: DNS is left to it")
        return
    seen = {tenant: _zone(host, state) for tenant, host in hosts.items()}
    zones = {tenant: zone for tenant, zone in seen.items() if zone is not None}
    known = {zone.text("name").rstrip("."): zone for zone in zones.values()}
    if zones.keys() != seen.keys():
        draft.offer(("dns",), "which DNS provider holds the host names' records?")
        draft.remark("not every host name has a public zone in the state: no DNS record is changed unless `dns` is set")
    elif len(known) == 1:
        draft.put_all(("dns",), _in_route53(next(iter(known.values()))))
    else:
        for tenant, zone in zones.items():
            draft.put_all(("tenants", tenant, "dns"), _in_route53(zone))


def _in_route53(zone: Resource) -> Mapping[str, tuple[str, str]]:
    """An id of a hosted zone is Route 53's alone."""
    name = zone.text("name").rstrip(".")
    return {"provider": ("route53", zone.place("zone_id", "id", "arn")), "zone": (name, zone.place("name"))}


def _hosts(draft: ContractDraft) -> dict[str, str]:
    """By tenant, whoever says it: the state, or orchestrate.toml."""
    known = {key: one.value for key, one in draft.found.items()}
    said = {key: plain(value) for key, value in draft.mapped.values.items() if isinstance(value, str)}
    every = {key: value for key, value in {**known, **said}.items() if key[2:] == ("hostname",)}
    return {key[1]: value for key, value in every.items() if ("tenants", key[1], "service") in known}


def _zone(host: str, state: Resources) -> Resource | None:
    """The most specific public zone that the name is in."""
    zones = [it for it in state.of("aws_route53_zone", data=True) if not is_private(it)]
    holding = [it for it in zones if f".{host}".endswith(f".{it.text('name').lower().rstrip('.')}") and it.text("name")]
    return max(holding, key=lambda it: len(it.text("name")), default=None)
