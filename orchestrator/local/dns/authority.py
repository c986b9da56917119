"""What the name server answers: a pure function of the query, the zones and the addresses. No sockets.

Authoritative for every zone it is given; CNAME chains and aliases are followed as far as those zones go, so one answer
holds CNAME and A as a resolver's would. A name outside of them is refused: of the rest of the world we know nothing.
Left out: delegations below an apex (give the child zone itself), DNSSEC, zone transfers, routing policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from orchestrator.local.dns.zone import ALIAS, Zone, ZoneEntry, plain

PAYLOAD = 1232
"""The largest UDP answer offered by EDNS (DNS flag day 2020)."""
CHAIN_LIMIT = 16
ALIAS_TTL = 60
NEGATIVE_TTL = 60


@dataclass(frozen=True, slots=True)
class _Found:
    """The outcome at one name: its records of the asked type, or the next name to ask about."""

    exists: bool
    entries: tuple[ZoneEntry, ...] = ()
    canonical: ZoneEntry | None = None


def answer(query: dns.message.Message, zones: Mapping[str, Zone]) -> dns.message.Message:
    """The whole response to a query."""
    response = dns.message.make_response(query, recursion_available=True, our_payload=PAYLOAD)
    if query.opcode() != dns.opcode.QUERY:
        response.set_rcode(dns.rcode.NOTIMP)
        return response
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response
    question = query.question[0]
    name = plain(question.name.to_text())
    zone = zone_of(name, zones)
    if zone is None or question.rdclass != dns.rdataclass.IN:
        response.set_rcode(dns.rcode.REFUSED)
        return response
    response.flags |= dns.flags.AA
    _follow(response, name, dns.rdatatype.to_text(question.rdtype), zones)
    return response


def zone_of(name: str, zones: Mapping[str, Zone]) -> Zone | None:
    """The closest zone that holds the name."""
    return next((zones[parent] for parent in _upwards(name) if parent in zones), None)


def is_valid(kind: str, value: str) -> bool:
    """Whether the value could be served as a record of this type."""
    try:
        dns.rdata.from_text(dns.rdataclass.IN, "CNAME" if kind == ALIAS else kind, value, origin=dns.name.root)
    except (dns.exception.DNSException, ValueError):
        return False
    return True


def _upwards(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.partition(".")[2]


def _follow(response: dns.message.Message, name: str, kind: str, zones: Mapping[str, Zone]) -> None:
    for _hop in range(CHAIN_LIMIT):
        zone = zone_of(name, zones)
        if zone is None:  # the chain leaves what we know: the client sees where to
            return
        found = _look_up(zone, name, kind)
        if found.canonical is not None:
            response.answer.append(_rrset(name, "CNAME", [found.canonical]))
            name = plain(found.canonical.value)
            continue
        entries = _resolved(found.entries, kind, zones)
        for record_type in dict.fromkeys(entry.type for entry in entries):
            response.answer.append(_rrset(name, record_type, [e for e in entries if e.type == record_type]))
        if not entries:
            response.authority.append(_start_of_authority(zone))
        if not found.exists:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return
    response.set_rcode(dns.rcode.SERVFAIL)  # a loop of CNAMEs


def _look_up(zone: Zone, name: str, kind: str) -> _Found:
    entries = [entry for entry in zone.entries if entry.name == name]
    exists = bool(entries) or name == zone.name or any(entry.name.endswith("." + name) for entry in zone.entries)
    if not exists:
        entries = _wildcard(zone, name)
        exists = bool(entries)
    canonical = next((entry for entry in entries if entry.type == "CNAME"), None)
    if canonical is not None and kind not in {"CNAME", "ANY"}:
        return _Found(exists=True, canonical=canonical)
    if kind == "SOA" and name == zone.name and not any(entry.type == "SOA" for entry in entries):
        entries.append(_made_up_soa(zone))
    wanted = tuple(entry for entry in entries if _matches(entry, kind))
    return _Found(exists=exists, entries=wanted)


def _matches(entry: ZoneEntry, kind: str) -> bool:
    if entry.type == ALIAS:
        return kind in entry.covers
    return kind in {entry.type, "ANY"}


def _wildcard(zone: Zone, name: str) -> list[ZoneEntry]:
    """The entries of the closest encloser's `*` (RFC 4592): a name in between that exists hides it."""
    for parent in _upwards(name.partition(".")[2]):
        stars = [entry for entry in zone.entries if entry.name == f"*.{parent}"]
        if stars or parent == zone.name:
            return stars
        if any(entry.name == parent or entry.name.endswith("." + parent) for entry in zone.entries):
            return []
    return []


def _resolved(entries: tuple[ZoneEntry, ...], kind: str, zones: Mapping[str, Zone]) -> list[ZoneEntry]:
    """The entries, each alias replaced by its target's addresses under the alias's own name."""
    result: list[ZoneEntry] = []
    for entry in entries:
        if entry.type != ALIAS:
            result.append(entry)
            continue
        addresses = _addresses(plain(entry.value), kind, zones)
        result += [ZoneEntry(entry.name, kind, ALIAS_TTL, address) for address in addresses]
    return result


def _addresses(name: str, kind: str, zones: Mapping[str, Zone], depth: int = 0) -> list[str]:
    zone = zone_of(name, zones)
    if zone is None or depth > CHAIN_LIMIT:
        return []
    found = _look_up(zone, name, kind)
    targets = [plain(found.canonical.value)] if found.canonical else []
    targets += [plain(entry.value) for entry in found.entries if entry.type == ALIAS]
    own = [entry.value for entry in found.entries if entry.type == kind]
    return own + [address for target in targets for address in _addresses(target, kind, zones, depth + 1)]


def _made_up_soa(zone: Zone) -> ZoneEntry:
    server = next(
        (entry.value for entry in zone.entries if entry.type == "NS" and entry.name == zone.name), "ns.local."
    )
    value = f"{server.rstrip('.')}. hostmaster.{zone.name}. 1 7200 900 1209600 {NEGATIVE_TTL}"
    return ZoneEntry(zone.name, "SOA", NEGATIVE_TTL, value)


def _start_of_authority(zone: Zone) -> dns.rrset.RRset:
    soa = next((entry for entry in zone.entries if entry.type == "SOA"), None) or _made_up_soa(zone)
    minimum = int(soa.value.split()[-1])
    return _rrset(zone.name, "SOA", [ZoneEntry(zone.name, "SOA", min(soa.ttl, minimum), soa.value)])


def _rrset(name: str, kind: str, entries: list[ZoneEntry]) -> dns.rrset.RRset:
    """Relative names in values (`example.com` without the dot) are absolute ones: that is how both hosts keep them."""
    return dns.rrset.from_text_list(
        dns.name.from_text(name),
        min(entry.ttl for entry in entries),
        dns.rdataclass.IN,
        kind,
        [entry.value for entry in entries],
        origin=dns.name.root,
        relativize=False,
    )
