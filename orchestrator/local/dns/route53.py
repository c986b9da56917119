"""moto's public hosted zones as the name server's zones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.route53.models import route53_backends

from orchestrator.local.core.cloud import ACCOUNT, PARTITION, Cloud
from orchestrator.local.dns.changes import ChangeBatches
from orchestrator.local.dns.zone import ALIAS, Zone, ZoneEntry, plain


def zones(cloud: Cloud) -> list[Zone]:
    """Every public zone of every account as the world sees it now. Of two with one name, the older answers."""
    accounts = sorted(route53_backends, key=lambda account: account != ACCOUNT)
    every = [zone for account in accounts for zone in list(route53_backends[account][PARTITION].zones.values())]
    public = [zone for zone in every if not zone.private_zone]
    changes = cloud.shared(ChangeBatches, cloud.pace)
    return [Zone(plain(zone.name), entries(changes.published(zone.resource_id, zone.rrsets))) for zone in public]


def entries(record_sets: Iterable[Any]) -> tuple[ZoneEntry, ...]:
    """Record sets of moto as entries. Of several sets with routing policies (weights, regions …) the first answers."""
    result: list[ZoneEntry] = []
    taken: set[tuple[str, str]] = set()
    for record_set in record_sets:
        name = plain(record_set.name)
        if (name, record_set.type) in taken:
            continue
        taken.add((name, record_set.type))
        if record_set.alias_target:
            result.append(_alias(name, record_set))
        else:
            result += [
                ZoneEntry(name, record_set.type, int(record_set.ttl or 0), value) for value in values(record_set)
            ]
    return tuple(result)


def values(record_set: Any) -> list[str]:
    """Its values. A zone's first SOA is kept by moto as `{"Value": …}`."""
    return [value["Value"] if isinstance(value, dict) else value for value in record_set.records or ()]


def _alias(name: str, record_set: Any) -> ZoneEntry:
    target = plain(record_set.alias_target["DNSName"]).removeprefix("dualstack.")
    return ZoneEntry(name, ALIAS, 60, target, covers=(record_set.type,))
