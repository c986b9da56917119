"""DNS records that a state manages, whichever provider makes them, and the CDNs in front of a name. Pure.

The attributes are those of the providers' documents (registry.terraform.io): a record's name, and what it leads to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.stack.inference.state import Resource, State, listed

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
    "gandi_livedns_record": (("href", "name"), ("values",)),
    "hetznerdns_record": (("name",), ("value",)),
    "ovh_domain_zone_record": (("subdomain",), ("target",)),
    "porkbun_dns_record": (("name",), ("content",)),
    "linode_domain_record": (("name",), ("target",)),
}
"""Resource type → where its name stands (the first that says something), where its targets stand."""


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record. `name` may begin with `*.`; `targets` are the names or addresses it leads to, aliases included."""

    address: str
    name: str
    targets: frozenset[str]

    def is_for(self, host: str) -> bool:
        """Whether it answers for this name; a wildcard does for each name one or more labels below it."""
        return covers(self.name, host)


def records_of(state: State) -> tuple[DnsRecord, ...]:
    """Every record of a provider that we know, in the order of the state."""
    return tuple(_records(state))


def _records(state: State) -> Iterator[DnsRecord]:
    for kind, (names, targets) in RECORDS.items():
        for one in state.of(kind):
            name = next((plain(said) for said in map(one.text, names) if said), "")
            led = [alias.get("name") for alias in one.blocks("alias")]
            led += [value for key in targets for value in (one.text(key), *one.texts(key))]
            led += [answer.get("answer") for key in targets for answer in one.blocks(key)]
            found = frozenset(plain(value) for value in led if isinstance(value, str) and value)
            yield DnsRecord(one.address, name, found)


def distribution_of(host: str, state: State) -> Resource | None:
    """The CloudFront distribution that has this name among its aliases: visitors come through it."""
    for one in state.of("aws_cloudfront_distribution", data=True):
        if any(isinstance(alias, str) and covers(plain(alias), host) for alias in listed(one.values.get("aliases"))):
            return one
    return None


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
