"""What the state knows of host names: certificates, records, CDNs, and where they lead. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.stack.blueprint.resources import Resources
from orchestrator.stack.records import DnsRecord, covers, leading_to, plain, records_of, words_of


@dataclass(frozen=True, slots=True)
class HostNames:
    """Names of certificates; every record; `leading`: the names by which visitors come to certain load balancers."""

    certified: frozenset[str]
    records: tuple[DnsRecord, ...]
    leading: Mapping[str, str]
    """By name, with where it stands."""
    ways: tuple[DnsRecord, ...]
    """The records that do, wildcards too."""
    others: frozenset[str]
    """Names of the state's other load balancers."""

    def knows(self, host: str) -> bool:
        """Whether a certificate or a record is for the name."""
        return any(covers(name, host) for name in self.certified) or any(one.is_for(host) for one in self.records)

    def lead_elsewhere(self, host: str) -> bool:
        """Whether the name's own record leads to another load balancer of the state."""
        return any(one.name == host and one.targets & self.others for one in self.records)

    def say_another(self, host: str) -> bool:
        """Whether other names lead there, and this one does not."""
        return bool(self.leading) and host not in self.leading and not any(one.is_for(host) for one in self.ways)


def names_of(state: Resources, balancers: Iterable[str]) -> HostNames:
    """`balancers` are their ARNs."""
    certificates = state.of("aws_acm_certificate", data=True)
    certified = {plain(name) for it in certificates for name in (it.text("domain_name"), it.text("domain"))}
    certified |= {plain(name) for it in certificates for name in it.texts("subject_alternative_names")}
    records = records_of(state.everything())
    here = [found for arn in balancers if (found := state.one("aws_lb", "arn", arn)) is not None]
    others = {plain(one.text("dns_name")) for one in state.of("aws_lb", data=True) if one not in here}
    ways = tuple(way for one in here for way in leading_to(one.text("dns_name"), records))
    names = {plain(one.text("dns_name")) for one in here} | {one.name for one in ways}
    leading = dict(_leading(ways, names, state))
    return HostNames(frozenset(certified - {""}), records, leading, ways, frozenset(others - names - {""}))


def _leading(ways: Sequence[DnsRecord], names: Collection[str], state: Resources) -> Iterator[tuple[str, str]]:
    """The records that visitors follow; of a record that leads on to another, the name that they ask for first.

    By `www.` people come beside the name that it leads on to.
    """
    inner = {target for one in ways if not one.name.startswith("www.") for target in one.targets}
    for one in ways:
        if "*" not in one.name and "." in one.name and one.name not in inner:
            yield one.name, ", ".join(f"{one.address}: {attribute}" for attribute in one.named_by)
    for cdn in state.of("aws_cloudfront_distribution", data=True):
        if {plain(word) for word in words_of(cdn.values.get("origin"))} & {*names} - {""}:
            yield from ((plain(alias), cdn.place("aliases")) for alias in cdn.texts("aliases") if "*" not in alias)
