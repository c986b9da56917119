"""DNS that Terraform itself manages, at whichever provider: records of the sites, and whole zones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.stack.records import DnsRecord, is_private, plain, records_of

ZONES = (
    "aws_route53_zone",
    "azurerm_dns_zone",
    "cloudflare_zone",
    "digitalocean_domain",
    "google_dns_managed_zone",
    "hetznerdns_zone",
    "ns1_zone",
)


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Records of the sites; a zone takes every record in it along."""
    for change in scene.of(*ZONES):
        if change.ends:
            yield _zone(change)
    ending = {change.address: change for some in scene.changes.values() for change in some if change.ends}
    ended = [Resource(one.address, one.type, values=one.before) for one in ending.values()]
    records = records_of({one.address: one for one in (*ended, *scene.before.everything())}.values())
    for name, one in scene.tenancy.tenants.items():
        if one.hostname and not scene.leaves(name):
            mine = [record for record in records if record.is_for(plain(one.hostname))]
            yield from _unnamed(name, plain(one.hostname), mine, ending)


def _unnamed(
    tenant: str, host: str, records: Sequence[DnsRecord], ending: Mapping[str, ResourceChange]
) -> Iterator[Consequence]:
    """Once a name: where none of its records stays. What goes with its zone, the zone tells."""
    wildcards = [one for one in records if one.name.startswith("*.")]
    own = [one for one in records if one not in wildcards] or wildcards
    going = [one for one in own if one.address in ending]
    if not going or len(going) < len(own) or ending[going[0].address].before.get("zone_id") in _zones_among(ending):
        return
    left = next((one for one in wildcards if one.address not in ending), None)
    if left is None or not left.targets & going[0].targets:
        changes = [ending[one.address] for one in going]
        yield _record(changes[0], host, tenant, left, replaced=all(one.replaced for one in changes))


def _zones_among(ending: Mapping[str, ResourceChange]) -> set[str]:
    return {change.was("zone_id") or change.was("id") for change in ending.values() if change.type in ZONES}


def _zone(change: ResourceChange) -> Consequence:
    name = change.was("name").rstrip(".") or change.was("zone").rstrip(".") or change.name
    if is_private(Resource(change.address, change.type, values=change.before)):
        says = f"the private DNS zone {name} is deleted with all its records: names in it resolve in no VPC any more"
        then = "Terraform creates again what it has of them; tasks that use such a name fail until then"
    else:
        says = f"the DNS zone {name} is deleted with all its records; a new one gets other name servers"
        then = "set the new name servers at its registrar; the change takes hours to propagate"
    return Consequence(
        code="zone-lost",
        effect=Effect.LOSS,
        name=f"zone:{name}",
        says=says,
        why=f"Terraform {change.verb} it: {change.why}",
        then=then,
        address=change.address,
    )


def _record(change: ResourceChange, host: str, tenant: str, left: DnsRecord | None, *, replaced: bool) -> Consequence:
    """`left` is the wildcard that answers for the name from then on."""
    what = f"is answered by {left.name}, which leads elsewhere" if left else "does not resolve"
    how_long = "for a moment" if replaced else ("from then on" if left else "any more")
    return Consequence(
        code="dns-record-removed",
        effect=Effect.DISTURBANCE if replaced else Effect.OUTAGE,
        name=f"dns-record:{host}",
        says=f"{host} {what} {how_long}",
        why=f"Terraform {change.verb} its record: {change.why}",
        then="a resolver that asks in between caches what it was told",
        address=change.address,
        subject=tenant,
        seconds=60 if replaced else None,
    )


KIND = Kind("DNS records and zones that Terraform manages", judge)
