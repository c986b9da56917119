"""Which EC2 instance a tenant's search index is on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

from orchestrator.checklist.model import Evidence, NotConcerned, NotKnown, TenantService
from orchestrator.stack.blueprint.references import constant, targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource
from orchestrator.stack.blueprint.tenancy import variables
from orchestrator.stack.indexes import KINDS, OPENSEARCH, VESPA

_HASH = re.compile(r"[0-9a-f]{40}")
"""What the AWS provider keeps of user_data."""
_KEY = re.compile(r'\["?([^"\]]*)"?\]')
_MANAGED = re.compile(r"\.(es|aoss)\.amazonaws\.com(\.cn)?$")
"""Hosts of AWS's own OpenSearch, which is on no instance."""
_NAMES = ("private_ip", "private_dns", "public_ip", "public_dns")


def each_kind(unit: TenantService, evidence: Evidence) -> Iterator[tuple[str, Resource]]:
    """The kinds of index that the tenant has on an instance, with it; raises as `instance_of`."""
    concerned = False
    for kind in KINDS:
        with suppress(NotConcerned):
            yield kind, instance_of(unit, evidence, kind)
            concerned = True
    if not concerned:
        raise NotConcerned


def instance_of(unit: TenantService, evidence: Evidence, kind: str = VESPA) -> Resource:
    """The contract's, the tenant's own, the one that VESPA_HOST names (…); else the only one that is called so.

    Raises `NotKnown` where that can't be told yet (or the host is not of this stack), `NotConcerned` without any.
    """
    everything = list(evidence.blueprint.of_type("aws_instance"))
    instances = [one for one in everything if _may_be(one, kind)]
    owner = evidence.tenancy.tenants.get(unit.tenant)
    said = getattr(owner, kind) if owner else ""
    chosen = next((one for one in everything if said and one.text("id") == said), None)
    owned = evidence.blueprint.cached(f"{kind} instances", lambda: _by_owner(evidence, kind))
    chosen = chosen or owned.get(unit.tenant)
    chosen = chosen or _by_host(unit, instances, evidence, kind)
    if chosen is None:
        raise NotConcerned
    return chosen


def _may_be(instance: Resource, kind: str) -> bool:
    """Whether it may be of this kind, by what it is called and what it starts: OpenSearch's says so."""
    called = _called(instance)
    return OPENSEARCH in called if kind == OPENSEARCH else VESPA in called or OPENSEARCH not in called


def _by_owner(evidence: Evidence, kind: str) -> dict[str, Resource]:
    """The first of each tenant; those that are nobody's are left out."""
    found: dict[str, Resource] = {}
    for one in evidence.blueprint.of_type("aws_instance"):
        if not _may_be(one, kind):
            continue
        owner = evidence.tenancy.owner(one, one.values)
        if owner:
            found.setdefault(owner, one)
    return found


def _by_host(unit: TenantService, instances: Sequence[Resource], evidence: Evidence, kind: str) -> Resource | None:
    definition, variable = unit.definition, f"{kind.upper()}_HOST"
    if definition is not None and definition.get("container_definitions") is not UNKNOWN:
        host = variables(definition).get(variable, "")
        met = next((one for one in instances if host and host in map(one.text, _NAMES)), None)
        if host and met is None and not _MANAGED.search(host):
            raise NotKnown(definition.address, f"the instance of {variable} {host}, which is not in this state,")
        return met
    meant = [one for one in _meant(unit, evidence) if _may_be(one, kind)]
    meant = meant or [one for one in instances if kind in _called(one)]
    if len(meant) > 1 or (instances and not meant):
        raise NotKnown(unit.service.address, variable)
    return meant[0] if meant else None


def _meant(unit: TenantService, evidence: Evidence) -> Sequence[Resource]:
    """By reference, while the containers are unknown; of several those with a key of the service's own address."""
    if unit.definition is None:
        return ()
    met = targets(evidence.blueprint, unit.definition, "aws_instance", "container_definitions").any
    keys = set(_KEY.findall(unit.service.address))
    return [one for one in met if str(one.index) in keys] or met


def _called(instance: Resource) -> str:
    return f"{instance.address} {instance.get('tags')} {instance.text('user_data')}".lower()


def script_of(instance: Resource, evidence: Evidence) -> str | None:
    """The instance's user_data, from its value or from the configuration; None: neither tells."""
    said = instance.get("user_data")
    if isinstance(said, str) and not _HASH.fullmatch(said):
        return said
    written = constant(evidence.blueprint, instance, "user_data")
    return written if isinstance(written, str) else "" if said is None else None
