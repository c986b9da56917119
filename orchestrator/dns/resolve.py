"""What a name points to, according to real DNS servers. Every outcome is a value: nothing is raised for a name.

Asked is the configured server (`host:port`), else the zone's own name servers (their answer is never a cached old one),
and where those can't be reached (many networks close port 53 to the outside) the system's resolver, from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import dns.exception
import dns.inet
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

from orchestrator.dns.names import bare, longest_match, normal
from orchestrator.errors import Invalid, Problem

TIMEOUT = 3.0
"""Seconds for one question, to all servers together."""
SHORTEST = 0.5
"""Seconds that one of several servers has at least."""
HOPS = 8
"""CNAMEs followed before it is called a loop."""

NOERROR, NXDOMAIN, TIMED_OUT, NO_SERVER, REFERRAL = "NOERROR", "NXDOMAIN", "TIMEOUT", "NO-SERVER", "REFERRAL"


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """`chain` are the names it went through (its CNAMEs' targets), `ttl` the seconds the first link may be remembered.

    `addresses` are IPv4's, `addresses6` IPv6's.
    `rcode` is DNS's word (`NOERROR`, `NXDOMAIN`, `SERVFAIL` …), or `TIMEOUT`, or `NO-SERVER`: there was none to ask,
    or `REFERRAL`: other name servers have to be asked.
    """

    name: str
    chain: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    ttl: int = 0
    rcode: str = NOERROR
    server: str = ""
    addresses6: tuple[str, ...] = ()

    @property
    def every(self) -> tuple[str, ...]:
        """All addresses, IPv4's first."""
        return self.addresses + self.addresses6

    @property
    def is_final(self) -> bool:
        """Whether a server knew (that it exists, or that it doesn't); else another one may know better."""
        return self.rcode in {NOERROR, NXDOMAIN}

    def leads_to(self, target: DnsAnswer) -> bool:
        """Whether it goes through the target's name, or (an alias shows no name) ends at addresses of the target.

        IPv4 and IPv6 are each on their own: an alias of one kind may be new while the other is still the old one.
        """
        if bare(target.name) in map(bare, self.chain):
            return True
        kinds = ((self.addresses, target.addresses), (self.addresses6, target.addresses6))
        return any(ours for ours, _ in kinds) and all(
            not ours or not set(theirs).isdisjoint(ours) for ours, theirs in kinds
        )

    def __str__(self) -> str:
        seen = " → ".join([self.name, *self.chain, *self.addresses[:1]])
        return seen if self.rcode == NOERROR and len(seen) > len(self.name) else f"{seen} ({self.rcode})"


class Resolver(Protocol):
    """Whoever knows names. Safe to use from several threads."""

    def resolve(self, name: str) -> DnsAnswer:
        """Follows CNAMEs down to addresses."""
        ...

    def name_servers(self, zone: str) -> tuple[str, ...]:
        """The names of the servers that the world asks about the zone; none when nobody says."""
        ...

    @property
    def unheard(self) -> frozenset[str]:
        """Zones whose own name servers did not answer, so that the system's resolver is asked for them."""
        ...


@dataclass(frozen=True, slots=True)
class DnsServer:
    """A DNS server's address."""

    ip: str
    port: int = 53

    @classmethod
    def parse(cls, text: str) -> DnsServer:
        """`127.0.0.1:5353` or `[::1]:53`; raises `Invalid` for anything but an IP address and a port."""
        host, _, port = text.rpartition(":")
        ip = host.strip("[]")
        if dns.inet.is_address(ip) and port.isdecimal() and 0 < int(port) < 2**16:
            return cls(ip, int(port))
        message = f"{text!r} is not a DNS server: an IP address and a port are needed"
        raise Invalid(Problem("resolver-invalid", message, context="ORCHESTRATE_RESOLVER", fix="e.g. 1.1.1.1:53"))

    def __str__(self) -> str:
        return f"{self.ip}:{self.port}"


@dataclass(frozen=True, slots=True)
class AskServers:
    """Asks one server after the other until one answers. They are recursive, or authoritative for all that is asked."""

    servers: Sequence[DnsServer]
    timeout: float = TIMEOUT

    @property
    def unheard(self) -> frozenset[str]:
        """They are all there is to ask."""
        return frozenset()

    def resolve(self, name: str) -> DnsAnswer:
        """Until there are addresses, nothing more to follow, or too many hops; then the IPv6 addresses too."""
        answer = DnsAnswer(normal(name))
        for _ in range(HOPS):
            before, answer = answer, self.follow(answer)
            if answer.addresses or answer.rcode != NOERROR or answer.chain == before.chain:
                break
        return self.with_ipv6(answer)

    def follow(self, known: DnsAnswer, kind: str = "A") -> DnsAnswer:
        """One question: for the last name of the chain."""
        answer = replace(known, rcode=NO_SERVER)
        for server in self.servers:
            rcode, response = _ask(server, known.chain[-1] if known.chain else known.name, kind, self._patience)
            answer = _extended(replace(known, server=str(server), rcode=rcode), response)
            if answer.is_final:
                break
        return answer

    def with_ipv6(self, known: DnsAnswer) -> DnsAnswer:
        """The same answer with the IPv6 addresses at its end, if it has one. That nobody says is no news."""
        if known.rcode != NOERROR or known.addresses6:
            return known
        found = self.follow(replace(known, addresses=()), "AAAA")
        return replace(known, addresses6=found.addresses) if found.rcode == NOERROR else known

    @property
    def _patience(self) -> float:
        return max(SHORTEST, self.timeout / max(1, len(self.servers)))

    def name_servers(self, zone: str) -> tuple[str, ...]:
        """The names of the zone's authoritative servers; none when nobody says."""
        for server in self.servers:
            _rcode, response = _ask(server, zone, "NS", self.timeout)
            records = [rdata for rrset in response.answer for rdata in rrset] if response else []
            if records:
                return tuple(rdata.target.to_text() for rdata in records if rdata.rdtype == dns.rdatatype.NS)
        return ()


class AskZones:
    """Asks each zone's own name servers (on `port`) for its names, and the system's resolver for all others.

    A zone whose servers don't answer in time costs that time once: from then on the system's resolver is asked.
    """

    def __init__(self, zones: Iterable[str], system: AskServers, port: int = 53) -> None:
        self._zones = tuple(map(normal, zones))
        self._system = system
        self._port = port
        self._found: dict[str, tuple[DnsServer, ...]] = {}
        self._unheard: set[str] = set()

    @property
    def unheard(self) -> frozenset[str]:
        """Zones whose servers were silent."""
        return frozenset(self._unheard)

    def resolve(self, name: str) -> DnsAnswer:
        """The zone's answer; the addresses at the chain's end, which live elsewhere, are the system resolver's."""
        zone = longest_match(name, self._zones)
        if not zone or zone in self._unheard:
            return self._system.resolve(name)
        own = AskServers(self._servers(zone), self._system.timeout)
        answer = own.follow(DnsAnswer(normal(name)))
        if not answer.is_final:
            if own.servers and answer.rcode in (TIMED_OUT, NO_SERVER):
                self._unheard.add(zone)
            return self._system.resolve(name)
        if answer.addresses or not answer.chain or answer.rcode != NOERROR:
            return own.with_ipv6(answer)
        rest = self._system.resolve(answer.chain[-1])
        return replace(rest, name=answer.name, chain=answer.chain + rest.chain, ttl=answer.ttl, server=answer.server)

    def name_servers(self, zone: str) -> tuple[str, ...]:
        """As the system's resolver sees the delegation."""
        return self._system.name_servers(zone)

    def _servers(self, zone: str) -> tuple[DnsServer, ...]:
        """As the system's resolver sees the delegation. Remembered once found: two threads may find the same."""
        if not self._found.get(zone):
            names = self._system.name_servers(zone)
            self._found[zone] = tuple(
                DnsServer(ip, self._port) for n in names for ip in self._system.resolve(n).addresses
            )
        return self._found[zone]


def connect(server: str | None, zones: Iterable[str]) -> Resolver:
    """The resolver that the settings (`ORCHESTRATE_RESOLVER`, else the zones) ask for. Goes to no network yet."""
    if server:
        return AskServers((DnsServer.parse(server),))
    return AskZones(zones, AskServers(_system_servers()))


def _ask(server: DnsServer, name: str, kind: str, timeout: float) -> tuple[str, dns.message.Message | None]:
    """The outcome and, where there is one, the response. By TCP when it doesn't fit a datagram."""
    try:
        query = dns.message.make_query(name, kind)
        response, _over_tcp = dns.query.udp_with_fallback(query, server.ip, timeout=timeout, port=server.port)
    except dns.exception.Timeout:
        return TIMED_OUT, None
    except (OSError, dns.exception.DNSException):
        # A refused port, no route, or an answer that is no DNS: for the asker there is no server.
        return NO_SERVER, None
    return dns.rcode.to_text(response.rcode()), response


def _extended(known: DnsAnswer, response: dns.message.Message | None) -> DnsAnswer:
    """What was known, and what this response adds to it."""
    if not isinstance(response, dns.message.QueryMessage) or not response.question:
        return known
    if not response.answer and any(rrset.rdtype == dns.rdatatype.NS for rrset in response.authority):
        return replace(known, rcode=REFERRAL)
    try:
        found = response.resolve_chaining()
    except dns.exception.DNSException:  # a chain that is too long, or contradicts its own rcode
        return replace(known, rcode="SERVFAIL")
    links = tuple(normal(rdata.target.to_text()) for cname in found.cnames for rdata in cname)
    addresses = tuple(sorted(rdata.address for rdata in found.answer or ()))
    first = found.cnames[0] if found.cnames else found.answer
    ttl = known.ttl if known.chain or first is None else first.ttl
    return replace(known, chain=known.chain + links, addresses=addresses, ttl=ttl)


def _system_servers() -> tuple[DnsServer, ...]:
    """The name servers this machine uses; none when it has no such configuration."""
    try:
        system = dns.resolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return ()
    return tuple(DnsServer(str(address), system.port) for address in system.nameservers)
