"""What a stack may have: bucket, Redis, search indexes, a zone for its names. Pure; what isn't there is left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

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
        draft.put(("bucket",), name, f"{task.address}: S3_FILE_STORE_BUCKET_NAME")
    elif told:
        draft.remark(f"{len(told)} buckets are in use: orchestrate manages none of them")


def _redis(state: Resources, tasks: Iterable[BackendTask], vault: SecretStores, draft: ContractDraft) -> None:
    groups: dict[str, tuple[Resource, BackendTask]] = {}
    for task in tasks:
        host = task.says("REDIS_HOST").lower().rstrip(".")
        for group in state.of("aws_elasticache_replication_group"):
            if host and host in (group.text("primary_endpoint_address"), group.text("configuration_endpoint_address")):
                groups[group.address] = (group, task)
    if len(groups) > 1:
        draft.remark(f"{len(groups)} replication groups are in use: orchestrate manages none of them")
    if len(groups) != 1:
        return
    ((group, task),) = groups.values()
    values = {
        "replication_group": group.text("replication_group_id") or group.text("id"),
        "host": task.says("REDIS_HOST"),
        "port": group.values.get("port") or 6379,
    }
    draft.put_all(("redis",), values, group.address)
    told = task.secrets.get("REDIS_PASSWORD", "")
    # A token that Terraform sets itself is Terraform's; one that only a secret holds is ours to set.
    if ":secretsmanager:" in told and not vault.place(told).key and not group.text("auth_token"):
        draft.put(("redis", "auth_secret_arn"), vault.place(told).arn, f"{task.address}: REDIS_PASSWORD")


def _vespa(state: Resources, tenant: str, task: BackendTask, draft: ContractDraft) -> None:
    host = task.says("VESPA_HOST")
    instance = _instance_at(host, state)
    if instance is None:
        return
    values: dict[str, object] = {"instance_id": instance.text("id"), "host": host}
    for key, variable in (("port", "VESPA_PORT"), ("config_port", "VESPA_TENANT_PORT")):
        if task.says(variable).isdigit():
            values[key] = int(task.says(variable))
    draft.put_all(("vespa", tenant), values, instance.address)


def _opensearch(state: Resources, tenant: str, task: BackendTask, vault: SecretStores, draft: ContractDraft) -> None:
    """A node on an instance, whose password is in Secrets Manager: without it nobody can ask the node anything."""
    host, told = task.says("OPENSEARCH_HOST"), task.secrets.get("OPENSEARCH_ADMIN_PASSWORD", "")
    instance = _instance_at(host, state)
    if instance is None:
        return
    if ":secretsmanager:" not in told:
        draft.remark(f"{instance.address}: OpenSearch is left out, its password is in no secret of Secrets Manager")
        return
    place = vault.place(told)
    values: dict[str, object] = {"instance_id": instance.text("id"), "host": host, "secret_arn": place.arn}
    values["secret_key"] = place.key or ""
    if user := task.says("OPENSEARCH_ADMIN_USERNAME"):
        values["admin_user"] = user
    if task.says("OPENSEARCH_REST_API_PORT").isdigit():
        values["port"] = int(task.says("OPENSEARCH_REST_API_PORT"))
    draft.put_all(("tenants", tenant, "index", "opensearch"), values, instance.address)


def _instance_at(host: str, state: Resources) -> Resource | None:
    names = ("private_ip", "private_dns", "public_ip", "public_dns")
    return next((it for it in state.of("aws_instance") if host and host in map(it.text, names)), None)


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
        ((name, zone),) = known.items()
        draft.put_all(("dns",), {"provider": "route53", "zone": name}, zone.address)
    else:
        for tenant, zone in zones.items():
            values = {"provider": "route53", "zone": zone.text("name").rstrip(".")}
            draft.put_all(("tenants", tenant, "dns"), values, zone.address)


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
