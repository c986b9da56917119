"""DNS: records as values, a pure plan, and the providers, found by entry point `orchestrator.dns_providers`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import entry_points

from orchestrator.dns.model import Connection, DnsProvider
from orchestrator.errors import Invalid, Problem

GROUP = "orchestrator.dns_providers"
BRIDGE = "lexicon:"
"""Before the name of one of dns-lexicon's providers."""


def known() -> tuple[str, ...]:
    """The names of every provider installed, ours and third parties'."""
    return tuple(sorted({entry.name for entry in entry_points(group=GROUP)}))


def connect(provider: str, connection: Connection) -> DnsProvider:
    """The provider of that name. Goes to no network and needs no credentials yet; `Invalid` for an unknown name."""
    if provider.startswith(BRIDGE):
        from orchestrator.dns import lexicon  # noqa: PLC0415 - only who asks for it pays for it

        return lexicon.connect(connection, provider.removeprefix(BRIDGE))
    for entry in entry_points(group=GROUP, name=provider):
        make: Callable[[Connection], DnsProvider] = entry.load()
        return make(connection)
    raise _unknown(provider)


def require(provider: str) -> None:
    """Raises `Invalid` for a name that `connect` would refuse; nothing is connected."""
    if provider.startswith(BRIDGE):
        from orchestrator.dns import lexicon  # noqa: PLC0415 - only who asks for it pays for it

        lexicon.require(provider.removeprefix(BRIDGE))
    elif provider not in known():
        raise _unknown(provider)


def _unknown(provider: str) -> Invalid:
    return Invalid(
        Problem(
            code="dns-provider-unknown",
            message=f"there is no DNS provider {provider!r}",
            context="contract: dns.provider",
            fix=f"use one of {', '.join(known())}, or {BRIDGE}NAME; or install a package that provides it",
        )
    )
