"""Names of the DNS: how they are compared, and which lie in which zone. Nothing here talks to anybody."""

from __future__ import annotations

from collections.abc import Iterable, Set

_DUALSTACK = "dualstack."


def normal(name: str) -> str:
    """A DNS name as it is compared: lower case, without the last dot."""
    return name.lower().rstrip(".")


def bare(target: str) -> str:
    """A load balancer's name without the `dualstack.` that the Route 53 console writes before it."""
    return normal(target).removeprefix(_DUALSTACK)


def longest_match(hostname: str, zones: Iterable[str]) -> str:
    """The closest of the zones that holds the name; empty: none does."""
    return max((normal(zone) for zone in zones if is_within(hostname, zone)), key=len, default="")


def is_within(hostname: str, zone: str) -> bool:
    """Whether the name is the zone's apex or below it."""
    return normal(hostname) == normal(zone) or normal(hostname).endswith("." + normal(zone))


def with_ancestors(names: Iterable[str]) -> frozenset[str]:
    """The names that there are where records have these: each, and all above it."""
    return frozenset(ancestor for name in names for ancestor in _and_above(normal(name)))


def covering(name: str, there: Set[str]) -> str:
    """The wildcard that answers for a name that is not `there` (`with_ancestors`): below its closest encloser.

    As RFC 4592 says: no wildcard answers for a name that has records, or a name with records below it. Empty: none.
    """
    encloser = next((one for one in _and_above(normal(name)) if one in there), "")
    wildcard = f"*.{encloser}"
    return wildcard if encloser and encloser != normal(name) and wildcard in there else ""


def _and_above(name: str) -> list[str]:
    labels = name.split(".")
    return [".".join(labels[first:]) for first in range(len(labels))]
