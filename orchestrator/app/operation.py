"""One command's work on one stack."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from orchestrator import steps
from orchestrator.app.context import Context, DnsRules, Learn, connect, no_secrets, zones_of
from orchestrator.aws.session import Aws
from orchestrator.consultation import consult
from orchestrator.contract import Stack
from orchestrator.dns import model, resolve, undo, visibility
from orchestrator.dns.model import Change
from orchestrator.dns.undo import Restoration
from orchestrator.dns.visibility import Sighting
from orchestrator.engine import graph, runner
from orchestrator.engine.check import Diagnosis
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.runner import Around, Limits, Report
from orchestrator.engine.step import Subject, Verdict
from orchestrator.errors import Invalid, Problem, TimedOut
from orchestrator.events import Emit
from orchestrator.lifecycle import catalogue
from orchestrator.rollouts import Watch
from orchestrator.settings import Settings
from orchestrator.steps import services

SETTLING = 300.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps and tenants were asked for (empty: all), and whether a service scaled to 0 counts as up."""

    only: Collection[str] = ()
    skip: Collection[str] = ()
    tenants: Collection[str] = ()
    allow_zero: bool = False


class Operation:
    """One command's work on one stack."""

    def __init__(
        self,
        stack: Stack,
        selection: Selection,
        settings: Settings,
        environment: Mapping[str, str],
        clock: SystemClock,
        *,
        learn: Learn = no_secrets,
        rules: DnsRules | None = None,
    ) -> None:
        self.stack = stack
        self.clock = clock
        self._limits = Limits(settings["timeout"], settings["step-timeouts"], settings["poll"])
        self._subjects = _known_tenants(selection.tenants, stack)
        discovered = steps.discover()
        graph.subset((*discovered, *catalogue.own()), only=self._limits.steps)
        self._steps = graph.subset(discovered, only=selection.only, skip=selection.skip)
        self.aws = Aws(stack.region, settings["profile"])
        heals = any(step.id == "tenant-databases" for step in self._steps)
        waiting = services.Rules(selection.allow_zero, settings["settle"], heals)
        self._context = connect(
            stack, self.aws, settings, environment, clock, learn=learn, rules=rules or DnsRules(), waiting=waiting
        )

    @property
    def context(self) -> Context:
        """What the steps see, for composition beside them."""
        return self._context

    def verify(self) -> None:
        """What must hold before anything is changed: the right account, working DNS credentials, a load balancer."""
        self.aws.require_account(self.stack.account_id)
        if any(step.id == "dns-records" for step in self._steps):
            for place in sorted(zones_of(self.stack)):
                self._context.dns(place.provider).check(place.zone)
            self._context.targets.require(self.stack.load_balancer, self.stack.region)

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Bring the stack to life; `around` is entered for each change."""
        return runner.run(
            self._steps,
            self._context,
            clock=self.clock,
            emit=emit,
            limits=self._limits,
            subjects=self._subjects,
            around=around,
        )

    def only_as_shown(self, changes: frozenset[Change]) -> None:
        """From now on no DNS change is made but these."""
        self._context = replace(self._context, dns_rules=replace(self._context.dns_rules, shown=changes))

    def undoable(self) -> tuple[Restoration, ...]:
        """What undoing the last DNS change of each name would come to; changes nothing."""
        names = None
        if self._subjects is not None:
            names = {model.normal(self.stack.tenants[tenant].hostname) for tenant in self._subjects}
        return undo.survey(self._context.dns_rules.history, self._context.dns, names)

    def undo(self, wanted: Collection[Restoration], around: Around = runner.unguarded) -> None:
        """Put these back, and wait until every name server has it. Raises `TimedOut` when they don't in time."""
        with around("dns-undo", {one.entry.change.name: str(one.change) for one in wanted if one.change}):
            tickets = undo.restore(self._context.dns_rules.history, self._context.dns, wanted)
        deadline = self.clock.monotonic() + SETTLING
        while not all(self._context.dns(provider).settled(ticket) for provider, ticket in tickets):
            if self.clock.monotonic() > deadline:
                fix = "look again with `orchestrate dns check`: the change is made"
                raise TimedOut(Problem("dns-not-settled", "the provider is still spreading it", "dns undo", fix))
            self.clock.sleep(min(self._limits.poll or 5.0, 5.0))

    def visibility(self, servers: Collection[str]) -> tuple[Sighting, ...]:
        """How each hostname looks from the authoritative or configured resolver, and from `servers` (ADDRESS:PORT)."""
        tenants = {it: self.stack.tenants[it].hostname for it in sorted(self._subjects or self.stack.tenants)}
        asked = {"": self._context.resolver, **{one: resolve.connect(one, ()) for one in servers}}
        return visibility.look(tenants, self.stack.load_balancer.dns_name, asked)

    def examine(self) -> Diagnosis:
        """What is wrong with the stack, causes first; changes nothing."""
        return consult(self._context, self.aws, self.clock.now, self._subjects)

    def survey(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """What each step observes now; changes nothing."""
        afresh = replace(self._context, watch=Watch())
        return runner.survey(self._steps, afresh, subjects=self._subjects)


def _known_tenants(asked: Collection[str], stack: Stack) -> Collection[str] | None:
    unknown = sorted(set(asked) - stack.tenants.keys())
    if unknown:
        fix = f"the stack's tenants are {', '.join(sorted(stack.tenants))}"
        raise Invalid(*(Problem("tenant-unknown", f"there is no tenant {name!r}", "--tenant", fix) for name in unknown))
    return set(asked) or None
