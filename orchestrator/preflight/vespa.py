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
    instances = list(evidence.blueprint.of_type("aws_instance"))
    own = [one for one in instances if evidence.tenancy.owner(one, one.values) == tenant and tenant]
    if own:
        return own[0]
    called = [one for one in instances if "vespa" in f"{one.address} {one.get('tags')} {one.text('user_data')}".lower()]
    return called[0] if len(called) == 1 else None


def script_of(instance: Resource, evidence: Evidence) -> str | None:
    """The instance's user_data, from its value or from the configuration; None: neither tells."""
    said = instance.get("user_data")
    if isinstance(said, str) and not _HASH.fullmatch(said):
        return said
    written = constant(evidence.blueprint, instance, "user_data")
    return written if isinstance(written, str) else "" if said is None else None
