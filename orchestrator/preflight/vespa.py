"""Which EC2 instance is a tenant's Vespa."""

from __future__ import annotations

import re

from orchestrator.blueprint.references import constant
from orchestrator.blueprint.resources import Resource
from orchestrator.preflight.model import Evidence

_HASH = re.compile(r"[0-9a-f]{40}")
"""What the AWS provider keeps of user_data."""


def instance_of(tenant: str, evidence: Evidence) -> Resource | None:
    """The tenant's own; else the only one that is called so; None: the stack has none (or several, and no telling)."""
    own = evidence.blueprint.once("vespa instances", lambda: _by_owner(evidence))
    if tenant in own:
        return own[tenant]
    called = [one for one in evidence.blueprint.of_type("aws_instance") if "vespa" in _names(one)]
    return called[0] if len(called) == 1 else None


def _by_owner(evidence: Evidence) -> dict[str, Resource]:
    """The first of each tenant; those that are nobody's are left out."""
    found: dict[str, Resource] = {}
    for one in evidence.blueprint.of_type("aws_instance"):
        owner = evidence.tenancy.owner(one, one.values)
        if owner:
            found.setdefault(owner, one)
    return found


def _names(instance: Resource) -> str:
    return f"{instance.address} {instance.get('tags')} {instance.text('user_data')}".lower()


def script_of(instance: Resource, evidence: Evidence) -> str | None:
    """The instance's user_data, from its value or from the configuration; None: neither tells."""
    said = instance.get("user_data")
    if isinstance(said, str) and not _HASH.fullmatch(said):
        return said
    written = constant(evidence.blueprint, instance, "user_data")
    return written if isinstance(written, str) else "" if said is None else None
