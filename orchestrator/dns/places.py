"""Where a hostname's record lives: the contract's zone, or the closest one that the provider has, with its records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from orchestrator.dns.model import DnsProvider, Record, delegation
from orchestrator.dns.names import covering, is_within, longest_match, normal, with_ancestors
from orchestrator.errors import Expired, Interrupted, OrchestratorError, Problem, Transient
from orchestrator.stack.contract import Dns, Stack

T = TypeVar("T")

Connect = Callable[[str], DnsProvider]
"""A provider by its name; the same one each time."""


@dataclass(frozen=True, slots=True, order=True)
class ZonePlace:
    """A zone at a provider."""

    provider: str
    zone: str


def wanted(stack: Stack, tenant: str) -> Dns | None:
    """Who holds the tenant's name: its own `dns`, else the stack's; None: it isn't ours to manage."""
    return stack.tenants[tenant].dns or stack.dns


@dataclass(slots=True)
class ZoneReader:
    """The zones of one observation, each listed once. A zone that can't be read is a problem of its names only."""

    connect: Connect
    _records: dict[ZonePlace, frozenset[Record] | Problem] = field(default_factory=dict)
    _zones: dict[str, frozenset[str] | Problem] = field(default_factory=dict)
    _passing: set[Problem] = field(default_factory=set)
    _held: dict[ZonePlace, tuple[Mapping[str, list[Record]], frozenset[str]]] = field(default_factory=dict)

    def records(self, place: ZonePlace) -> frozenset[Record] | Problem:
        """The zone's records, or why they can't be had."""
        if place not in self._records:
            self._records[place] = self._read(lambda: self.connect(place.provider).records(place.zone))
        return self._records[place]

    def at(self, place: ZonePlace, name: str) -> tuple[Record, ...]:
        """The records that answer at the name: its own, or those of the wildcard that covers it."""
        if place not in self._held:
            self._held[place] = _by_name(self.records(place))
        by_name, there = self._held[place]
        held = by_name.get(name) or by_name.get(covering(name, there), [])
        return tuple(sorted(held, key=lambda record: (record.type, record.policy)))

    def may_pass(self, problem: Problem) -> bool:
        """Whether another look may not meet it."""
        return problem in self._passing

    def _read(self, read: Callable[[], frozenset[T]]) -> frozenset[T] | Problem:
        try:
            return read()
        except (Interrupted, Expired):
            raise
        except OrchestratorError as error:
            if isinstance(error, Transient):
                self._passing.add(error.problems[0])
            return error.problems[0]

    def find(self, hostname: str, asked: Dns) -> ZonePlace | Problem:
        """The hostname's zone: the contract's, unless it is outside of it or given away; then the longest match."""
        zone = normal(asked.zone)
        if not is_within(hostname, zone):
            closest = self._closest(hostname, asked.provider)
            if isinstance(closest, Problem):
                return closest
            if not closest:
                return _outside(hostname, zone, asked.provider)
            zone = closest
        return self._undelegated(hostname, ZonePlace(asked.provider, zone))

    def _undelegated(self, hostname: str, place: ZonePlace) -> ZonePlace | Problem:
        """The place itself; where its zone gives the name away, the provider's zone below."""
        records = self.records(place)
        if isinstance(records, Problem):
            return records
        below = delegation(hostname, place.zone, records)
        if not below:
            return place
        closest = self._closest(hostname, place.provider)
        if isinstance(closest, Problem):
            return closest
        if not is_within(closest, below):
            return _delegated(hostname, below, place)
        return self._undelegated(hostname, ZonePlace(place.provider, closest))

    def _closest(self, hostname: str, provider: str) -> str | Problem:
        if provider not in self._zones:
            self._zones[provider] = self._read(lambda: self.connect(provider).zones())
        zones = self._zones[provider]
        return zones if isinstance(zones, Problem) else longest_match(hostname, zones)


def _by_name(records: frozenset[Record] | Problem) -> tuple[Mapping[str, list[Record]], frozenset[str]]:
    by_name: dict[str, list[Record]] = {}
    for record in () if isinstance(records, Problem) else records:
        by_name.setdefault(record.name, []).append(record)
    return by_name, with_ancestors(by_name)


def locate(stack: Stack, zone_reader: ZoneReader) -> tuple[Mapping[str, ZonePlace], Mapping[str, Problem]]:
    """By tenant: where its name lives, or why that can't be said. Tenants whose DNS isn't ours are in neither."""
    places: dict[str, ZonePlace] = {}
    problems: dict[str, Problem] = {}
    for tenant, its in stack.tenants.items():
        asked = wanted(stack, tenant)
        if asked is None:
            continue
        match zone_reader.find(normal(its.hostname), asked):
            case ZonePlace() as place:
                places[tenant] = place
            case Problem() as problem:
                problems[tenant] = problem
    return places, problems


def _outside(name: str, zone: str, provider: str) -> Problem:
    return Problem(
        code="dns-hostname-outside-zone",
        message=f"{name} is not in the zone {zone}, nor in any other zone of {provider} that these credentials see",
        context=name,
        fix="correct the tenant's hostname or dns.zone, or give the tenant its own `dns`",
    )


def _delegated(name: str, below: str, place: ZonePlace) -> Problem:
    return Problem(
        code="dns-name-delegated",
        message=f"{place.zone} delegates {below} to other name servers (NS): a record for {name} in it would never "
        "be seen",
        context=name,
        fix=f"give the tenant its own `dns` that names {below} and its provider",
    )
