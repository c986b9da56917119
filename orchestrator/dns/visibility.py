"""Who sees what: each name as its authoritative servers answer it, and as public resolvers still remember it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.dns.resolve import NO_SERVER, TIMED_OUT, DnsAnswer, Resolver

PUBLIC = ("1.1.1.1:53", "8.8.8.8:53", "9.9.9.9:53")
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class NameView:
    """One tenant's name from one place. `server` is empty for the authoritative (or configured) one."""

    tenant: str
    server: str
    answer: DnsAnswer
    target: DnsAnswer

    @property
    def is_right(self) -> bool:
        """Whether it leads to the load balancer."""
        return self.answer.leads_to(self.target)

    @property
    def is_heard(self) -> bool:
        """Whether the server answered: a resolver that can't be reached says nothing about the name."""
        return self.answer.is_final

    def __str__(self) -> str:
        who = self.server or self.answer.server or "no server"
        if not self.is_heard:
            return f"{who} did not answer for {self.answer.name} ({self.answer.rcode})"
        if self.is_right:
            return f"{who} says {self.answer}"
        left = f", and may do so for another {self.answer.ttl} s" if self.answer.ttl else ""
        return f"{who} still says {self.answer} instead of {self.target.name}{left}"


def look(
    names: Mapping[str, str], targets: Mapping[str, str], resolvers: Mapping[str, Resolver]
) -> tuple[NameView, ...]:
    """Every tenant's name, asked everywhere at once. `resolvers` by address; the empty one is what counts.

    `targets` are by tenant the load balancer's name.

    A server that is silent at the first name is not asked for the others: where port 53 is closed, each would cost the
    whole time-out.
    """
    if not names:
        return ()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        balancers = dict.fromkeys(targets.values())
        led_to = dict(zip(balancers, pool.map(resolvers[""].resolve, balancers), strict=True))
        first, *rest = names.values()
        tried = dict(zip(resolvers, pool.map(lambda one: one.resolve(first), resolvers.values()), strict=True))
        heard = {server for server, answer in tried.items() if answer.rcode not in (TIMED_OUT, NO_SERVER)}
        questions = [(server, name) for server in resolvers if server in heard for name in rest]
        asked = pool.map(lambda one: resolvers[one[0]].resolve(one[1]), questions)
        known = {(server, first): answer for server, answer in tried.items()}
        known |= dict(zip(questions, asked, strict=True))
    return tuple(
        NameView(tenant, server, known.get((server, name)) or _unheard(name, tried[server]), led_to[targets[tenant]])
        for tenant, name in names.items()
        for server in resolvers
    )


def _unheard(name: str, silence: DnsAnswer) -> DnsAnswer:
    return DnsAnswer(name, rcode=silence.rcode, server=silence.server)
