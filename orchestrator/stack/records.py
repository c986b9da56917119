"""DNS records that Terraform manages, whichever provider makes them, and the CDNs in front of a name. Pure.

The attributes are those of the providers' resources; only AWS's provider was at hand to try them on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
    "azurerm_dns_aaaa_record": (("fqdn",), ("records",)),
    "digitalocean_record": (("fqdn",), ("value",)),
    "dnsimple_zone_record": (("qualified_name",), ("value",)),
    "ns1_record": (("domain",), ("answers",)),
    "akamai_dns_record": (("name",), ("target",)),
    "powerdns_record": (("name",), ("records",)),
}
"""Resource type → where its whole name stands (the first that says something), where its targets stand."""
_ZONED: Mapping[str, tuple[str, str]] = {
    "desec_rrset": ("subname", "domain"),
    "dns_a_record_set": ("name", "zone"),
    "dns_cname_record": ("name", "zone"),
    "gandi_livedns_record": ("name", "zone"),
    "ovh_domain_zone_record": ("subdomain", "zone"),
    "porkbun_dns_record": ("name", "domain"),
    "vultr_dns_record": ("name", "domain"),
}
"""Resource type → where the name within the zone stands, where the zone's own name does."""
_ANY_OTHER = re.compile(r"_(dns|record|rrset)(_|s?$)|_record_set$")
"""Types of other providers that hold records: their names are put together from what they say."""
_NO_WAY = frozenset({"CAA", "DS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "TLSA", "TXT"})
"""Types of records that lead no visitor anywhere."""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record. `name` may begin with `*.`; `targets` are the names or addresses it leads to, aliases included.

    Of a provider that says `www` here and the zone elsewhere, `name` is empty: `words` are all that it and its zone
    say, and two of them make the whole name.
    """

    address: str
    name: str
    targets: frozenset[str]
    words: frozenset[str] = frozenset()
    proxied: bool = False
    """Whether the provider itself answers for the name (Cloudflare's proxy)."""
    named_by: tuple[str, ...] = ("name",)
    """The attributes in which its name stands: one, or two that make it."""

    def is_for(self, host: str) -> bool:
        """Whether it answers for this name; a wildcard does for each name one or more labels below it."""
        if self.name:
            return covers(self.name, host)
        zone = next((one for one in self.words if one and f".{host}".endswith(f".{one}") and "." in one), "")
        label = host.removesuffix(zone).rstrip(".")
        return bool(zone) and bool({label or "@", "*"} & self.words or (host == zone and "" in self.words))


def records_of(resources: Iterable[Resource]) -> tuple[DnsRecord, ...]:
    """Every record that visitors may follow, in the order given: none of a private zone, no TXT, MX and their like."""
    there = list(resources)
    hidden = {one.text("zone_id") for one in there if one.type == "aws_route53_zone" and is_private(one)} - {""}
    zones = {one.text("id"): one for one in there if _is_zone(one) and one.text("id")}
    return tuple(
        _record(one, *RECORDS[one.type]) if one.type in RECORDS else _by_words(one, zones)
        for one in there
        if (one.type in RECORDS or _is_of_another(one))
        and not one.is_data
        and _kind(one) not in _NO_WAY
        and one.text("zone_id") not in hidden
    )


def is_private(zone: Resource) -> bool:
    """Whether Route 53 answers for the zone inside VPCs alone."""
    return bool(zone.get("private_zone") or zone.get("vpc"))


def _kind(one: Resource) -> str:
    named = (one.text(key) for key in ("type", "record_type", "fieldtype", "rtype"))
    return next((said.upper() for said in named if said), "")


def _is_of_another(one: Resource) -> bool:
    """Not AWS's, where every other type with such a name is something else; `dns_cname_record` is hashicorp/dns's."""
    named = _ANY_OTHER.search(f"_{one.type}") is not None and "_private_" not in one.type
    return named and not one.type.startswith("aws_") and not _is_zone(one)


def _is_zone(one: Resource) -> bool:
    return not one.type.startswith("aws_") and one.type.endswith(("_zone", "_domain"))


def _record(one: Resource, names: Sequence[str], targets: Sequence[str]) -> DnsRecord:
    said_by, name = next(
        ((key, plain(said)) for key in names for said in _texts(one.values.get(key)) if said), (names[0], "")
    )
    led = [said for key in targets for said in _texts(one.values.get(key), "answer")]
    led += _texts(one.values.get("alias"), "name")
    leads = frozenset(plain(value) for value in led if value)
    return DnsRecord(one.address, name, leads, proxied=one.values.get("proxied") is True, named_by=(said_by,))


def _by_words(one: Resource, zones: Mapping[str, Resource]) -> DnsRecord:
    """What it says, and what the zone says that it names by an id."""
    zone = next((zones[key] for name in ("zone_id", "domain_id", "zone") if (key := one.text(name)) in zones), None)
    said = [*words_of(one.values), *(words_of(zone.values) if zone else ())]
    words = frozenset(plain(it) for it in said)
    within, zoned = _ZONED.get(one.type, ("name", ""))
    label, home = plain(one.text(within)), plain(one.text(zoned)) if zoned else ""
    name = (home if label in ("", "@") else f"{label}.{home}") if home else ""
    return DnsRecord(one.address, name, words, words, named_by=(within, *filter(None, [zoned])))


def words_of(value: Any) -> Iterator[str]:
    """Every text in it, at any depth."""
    if isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from words_of(inner)
    elif isinstance(value, str):
        yield value


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
    """Those that lead to this load balancer, by other records too; `dualstack.` is ELB's own second name for it."""
    wanted = plain(dns_name)
    found: dict[str, DnsRecord] = {}
    names = {wanted, f"dualstack.{wanted}"} if wanted else set()
    while more := [one for one in records if one.address not in found and names & one.targets]:
        found |= {one.address: one for one in more}
        names |= {one.name for one in more if one.name}
    return tuple(one for one in records if one.address in found)


def covers(name: str, host: str) -> bool:
    """Whether a record, certificate or alias of this name is for the host."""
    return name == host or (name.startswith("*.") and host.endswith(name[1:]) and host != name[2:])


def plain(name: str) -> str:
    r"""As names are compared: DNS knows no capitals, and a last dot says nothing. Route 53 writes `*` as `\\052`."""
    return name.strip().lower().rstrip(".").replace("\\052", "*")
