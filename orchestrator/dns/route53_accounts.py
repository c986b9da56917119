"""Route 53 zones in several accounts: a role for each zone that names one, the run's own credentials for the others."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.dns.model import DnsProvider, Record, ZonePlan
from orchestrator.dns.names import longest_match, normal
from orchestrator.dns.sending import SubmittedInPart


class InSeveralAccounts:
    """One provider made of several, each of which sees one account's zones. `roles` are by their zones' names."""

    def __init__(self, own: DnsProvider, roles: Mapping[str, DnsProvider]) -> None:
        self.name = own.name
        self.apex = own.apex
        self.minimum_ttl = own.minimum_ttl
        self._accounts = (own, *roles.values())
        self._roles = {normal(zone): number for number, zone in enumerate(roles, start=1)}
        self._found: dict[str, int] = {}

    def zones(self) -> frozenset[str]:
        """Those of every account. Of two with one name, that of the account named for it counts, else the run's."""
        for number, account in enumerate(self._accounts):
            for zone in account.zones():
                self._found.setdefault(zone, number)
        return frozenset(self._found)

    def check(self, zone: str) -> None:
        """As the account says."""
        self._accounts[self._of(zone)].check(zone)

    def records(self, zone: str) -> frozenset[Record]:
        """As the account says."""
        return self._accounts[self._of(zone)].records(zone)

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """As the account says; the ticket knows which one it was."""
        number = self._of(zone)
        try:
            return f"{number} {self._accounts[number].submit(zone, plan)}"
        except SubmittedInPart as some:
            raise SubmittedInPart(some.failures, f"{number} {some.ticket}") from None

    def settled(self, ticket: str) -> bool:
        """As the account says."""
        number, _, changes = ticket.partition(" ")
        return self._accounts[int(number)].settled(changes)

    def _of(self, zone: str) -> int:
        """A zone below one that names a role is in that account too, unless it was found elsewhere."""
        wanted = normal(zone)
        if wanted in self._roles:
            return self._roles[wanted]
        return self._found.get(wanted, self._roles.get(longest_match(wanted, self._roles), 0))
