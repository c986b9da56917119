"""DNS records that Terraform manages, whichever provider makes them, and the CDNs in front of a name. Pure.

The attributes are those of the providers' resources; only AWS's provider was at hand to try them on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.stack.blueprint.resources import Resource

RECORDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "aws_route53_record": (("fqdn", "name"), ("records",)),
    "cloudflare_record": (("hostname", "name"), ("value", "content")),
    "cloudflare_dns_record": (("name",), ("content",)),
    "google_dns_record_set": (("name",), ("rrdatas",)),
    "azurerm_dns_cname_record": (("fqdn",), ("record",)),
    "azurerm_dns_a_record": (("fqdn",), ("records",)),
    "digitalocean_record": (("fqdn",), ("value",)),
    "dnsimple_zone_record": (("qualified_name",), ("value",)),
    "ns1_record": (("domain",), ("answers",)),
}
"""Resource type → where its whole name stands (the first that says something), where its targets stand.

Only of providers whose records say the whole name: where a record says `www` and its zone is another resource (Gandi,
Hetzner, Linode, OVH), it can't be told here whose name it is, and nothing is claimed of it.
"""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record. `name` may begin with `*.`; `targets` are the names or addresses it leads to, aliases included."""

    address: str
    name: str
    targets: frozenset[str]

    def is_for(self, host: str) -> bool:
        """Whether it answers for this name; a wildcard does for each name one or more labels below it."""
        return covers(self.name, host)


def records_of(resources: Iterable[Resource]) -> tuple[DnsRecord, ...]:
    """Every record of a provider that we know, in the order given."""
    return tuple(_record(one, *RECORDS[one.type]) for one in resources if one.type in RECORDS)


def _record(one: Resource, names: Sequence[str], targets: Sequence[str]) -> DnsRecord:
    name = next((plain(said) for key in names for said in _texts(one.values.get(key)) if said), "")
    led = [said for key in targets for said in _texts(one.values.get(key), "answer")]
    led += _texts(one.values.get("alias"), "name")
    return DnsRecord(one.address, name, frozenset(plain(value) for value in led if value))


def _texts(value: Any, inside: str = "") -> list[str]:
    """A text, the texts of a list, or those of a list's blocks that stand under the name `inside`."""
    held = value if isinstance(value, list) else [value]
    return [said for one in held if isinstance(said := one.get(inside) if isinstance(one, Mapping) else one, str)]


def distribution_of(host: str, resources: Iterable[Resource]) -> Resource | None:
    """The CloudFront distribution that has this name among its aliases: visitors come through it."""
    return next((one for one in resources if one.type == "aws_cloudfront_distribution" and _has(one, host)), None)


def _has(distribution: Resource, host: str) -> bool:
    return any(covers(plain(alias), host) for alias in _texts(distribution.values.get("aliases")))


def leading_to(dns_name: str, records: Sequence[DnsRecord]) -> tuple[DnsRecord, ...]:
    """Those that lead to this load balancer; `dualstack.` is ELB's own second name for it."""
    wanted = plain(dns_name)
    return tuple(one for one in records if wanted and {wanted, f"dualstack.{wanted}"} & one.targets)


def covers(name: str, host: str) -> bool:
    """Whether a record, certificate or alias of this name is for the host."""
    return name == host or (name.startswith("*.") and host.endswith(name[1:]) and host != name[2:])


def plain(name: str) -> str:
    r"""As names are compared: DNS knows no capitals, and a last dot says nothing. Route 53 writes `*` as `\\052`."""
    return name.strip().lower().rstrip(".").replace("\\052", "*")
