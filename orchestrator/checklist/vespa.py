"""Which EC2 instance is a tenant's Vespa."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestrator.checklist.model import Evidence, NotConcerned, NotKnown, TenantService
from orchestrator.stack.blueprint.references import constant, targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource
from orchestrator.stack.blueprint.tenancy import variables

_HASH = re.compile(r"[0-9a-f]{40}")
"""What the AWS provider keeps of user_data."""
_KEY = re.compile(r'\["?([^"\]]*)"?\]')
_NAMES = ("private_ip", "private_dns", "public_ip", "public_dns")


def instance_of(unit: TenantService, evidence: Evidence) -> Resource:
    """The contract's, the tenant's own, the one that VESPA_HOST names; else the only one that is called so.

    Raises `NotKnown` where that can't be told yet (or the host is not of this stack), `NotConcerned` without any.
    """
    instances = list(evidence.blueprint.of_type("aws_instance"))
    said = evidence.tenancy.tenants.get(unit.tenant)
    chosen = next((one for one in instances if said and said.vespa and one.text("id") == said.vespa), None)
    chosen = chosen or evidence.blueprint.cached("vespa instances", lambda: _by_owner(evidence)).get(unit.tenant)
    chosen = chosen or _by_host(unit, instances, evidence)
    if chosen is None:
        raise NotConcerned
    return chosen


def _by_owner(evidence: Evidence) -> dict[str, Resource]:
    """The first of each tenant; those that are nobody's are left out."""
    found: dict[str, Resource] = {}
    for one in evidence.blueprint.of_type("aws_instance"):
        owner = evidence.tenancy.owner(one, one.values)
        if owner:
            found.setdefault(owner, one)
    return found


def _by_host(unit: TenantService, instances: Sequence[Resource], evidence: Evidence) -> Resource | None:
    definition = unit.definition
    if definition is not None and definition.get("container_definitions") is not UNKNOWN:
        host = variables(definition).get("VESPA_HOST", "")
        met = next((one for one in instances if host and host in map(one.text, _NAMES)), None)
        if host and met is None:
            raise NotKnown(definition.address, f"the instance of VESPA_HOST {host}, which is not in this state,")
        return met
    meant = _meant(unit, evidence) or [one for one in instances if "vespa" in _called(one)]
    if len(meant) > 1 or (instances and not meant):
        raise NotKnown(unit.service.address, "VESPA_HOST")
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
