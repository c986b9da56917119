"""Who sees what: each name as its authoritative servers answer it, and as public resolvers still remember it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.dns.resolve import Answer, Resolver

PUBLIC = ("1.1.1.1:53", "8.8.8.8:53", "9.9.9.9:53")
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Sighting:
    """One tenant's name from one place. `server` is empty for the authoritative (or configured) one."""

    tenant: str
    server: str
    answer: Answer
    target: Answer

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
        left = f", and may go on for {self.answer.ttl} s" if self.answer.ttl else ""
        return f"{who} still says {self.answer} instead of {self.target.name}{left}"


def look(names: Mapping[str, str], target: str, resolvers: Mapping[str, Resolver]) -> tuple[Sighting, ...]:
    """Every tenant's name, asked everywhere at once. `resolvers` by address; the empty one is what counts."""
    questions = [(tenant, name, server) for tenant, name in names.items() for server in resolvers]
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        balancer = resolvers[""].resolve(target)
        answers = pool.map(lambda one: resolvers[one[2]].resolve(one[1]), questions)
        return tuple(Sighting(q[0], q[2], answer, balancer) for q, answer in zip(questions, answers, strict=True))
