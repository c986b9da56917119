"""DNS that Terraform itself manages: records of the sites, and whole zones."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Records of the sites; a zone takes every record in it along."""
    hosts = {one.hostname.lower().rstrip("."): name for name, one in scene.tenancy.tenants.items() if one.hostname}
    for change in scene.of("aws_route53_zone"):
        if change.ends:
            yield _zone(change)
    for change in scene.of("aws_route53_record"):
        host = change.was("fqdn") or change.was("name")
        tenant = hosts.get(host.lower().rstrip("."), "")
        if change.ends and tenant and not scene.leaves(tenant) and not scene.ends(change.before.get("zone_id")):
            yield _record(change, host, tenant)


def _zone(change: ResourceChange) -> Consequence:
    name = change.was("name").rstrip(".") or change.name
    return Consequence(
        code="zone-lost",
        effect=Effect.LOSS,
        name=f"zone:{name}",
        says=f"the DNS zone {name} is deleted with all its records; a new one gets other name servers",
        why=f"Terraform {change.verb} it: {change.why}",
        then="set the new name servers at its registrar; the change takes hours to propagate",
        address=change.address,
    )


def _record(change: ResourceChange, host: str, tenant: str) -> Consequence:
    return Consequence(
        code="dns-record-removed",
        effect=Effect.DISTURBANCE if change.replaced else Effect.OUTAGE,
        name=f"dns-record:{host}",
        says=f"{host} does not resolve {'for a moment' if change.replaced else 'any more'}",
        why=f"Terraform {change.verb} its record: {change.why}",
        then="a resolver that asks in between caches that there is no record",
        address=change.address,
        subject=tenant,
        seconds=60 if change.replaced else None,
    )


KIND = Kind("DNS records and zones that Terraform manages", judge)
