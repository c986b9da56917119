"""One command's work on one stack."""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from secrets import token_hex
from typing import Self

from orchestrator import steps
from orchestrator.app import tasks
from orchestrator.app.context import Context, DnsRules, Learn, connect, limits_of, no_secrets, zones_of
from orchestrator.aws.access import Access
from orchestrator.aws.service_counts import ServiceCounts
from orchestrator.aws.session import Aws
from orchestrator.aws.ssm import Ssm
from orchestrator.aws.value_from import parse
from orchestrator.database.inventory import rows_of
from orchestrator.database.model import wanted_of
from orchestrator.database.ownership import OwnershipRules as DatabaseRules
from orchestrator.dns import resolve, undo, visibility
from orchestrator.dns.model import Change
from orchestrator.dns.names import normal
from orchestrator.dns.undo import NameRestoration
from orchestrator.dns.visibility import NameView
from orchestrator.doctor.consultation import consult
from orchestrator.engine import graph, looks, runner
from orchestrator.engine.check import Diagnosis
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.close_looks import FEW, CloseLooks
from orchestrator.engine.first_look import FirstLooks
from orchestrator.engine.graph import AnyStep
from orchestrator.engine.looks import Look
from orchestrator.engine.runner import Around, Observation, Report
from orchestrator.engine.step import Subject, Verdict
from orchestrator.engine.unconfirmed import WINDOW
from orchestrator.errors import Expired, Interrupted, Invalid, OrchestratorError, Problem, TimedOut, correction
from orchestrator.events import Emit, Event
from orchestrator.index import AnyIndex, provider
from orchestrator.index.report import Line
from orchestrator.lifecycle import catalogue, pause, resume, rollouts_stopped
from orchestrator.lifecycle.services import foreign_among
from orchestrator.rollout.memory import RunMemory
from orchestrator.rollout.tail import Search, Tail
from orchestrator.settings import Settings
from orchestrator.stack import contract
from orchestrator.stack.contract import Stack
from orchestrator.stack.indexes import IndexServer
from orchestrator.steps import services

SETTLING = 300.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps and tenants were asked for (empty: all), and whether a service scaled to 0 counts as up.

    `wary`: something may have been changed just before, which AWS does not show yet.
    `new_databases` are made empty although the old ones may be there under other names.
    """

    only: Collection[str] = ()
    skip: Collection[str] = ()
    tenants: Collection[str] = ()
    allow_zero: bool = False
    wary: bool = False
    new_databases: Collection[str] = ()


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
        access: Access | None = None,
    ) -> None:
        self.stack = stack = stack.naming(settings["owns"])
        self.clock = clock
        self.access = access or Access(environment, settings["profile"], role=settings["role"])
        self._limits = limits_of(settings, self.access)
        self._subjects = _known_tenants(selection.tenants, stack)
        discovered = self._available(selection)
        graph.subset(_nameable(), only=self._limits.steps)
        self._steps = graph.subset(discovered, only=selection.only, skip=selection.skip)
        self._looked_at = (*self._steps, *(() if selection.only else _on_request(discovered, selection.skip)))
        self.aws = Aws(stack.region, self.access)
        recreates_database = any(step.id == "tenant-databases" for step in self._steps)
        wary = WINDOW if selection.wary else 0.0
        patience = settings["step-timeouts"].get(services.STEP.id, services.STEP.timeout)
        waiting = services.Rules(selection.allow_zero, settings["settle"], recreates_database, wary, patience, WINDOW)
        self._context = self._widened(
            connect(
                stack,
                self.aws,
                settings,
                environment,
                clock,
                learn=learn,
                rules=rules or DnsRules(),
                databases=_database_rules(settings, selection, stack),
                waiting=waiting,
                close=self._close_looks(),
            )
        )

    def _available(self, _selection: Selection) -> tuple[AnyStep, ...]:
        """The steps there are."""
        return steps.discover()

    def _close_looks(self) -> CloseLooks:
        """Of many tenants not all are looked into one by one, where their sites are asked too. Named ones are."""
        visits = any(step.id == "sites" for step in self._steps)
        return CloseLooks(FEW if visits else None, token_hex(4), frozenset(self._subjects or ()))

    def _widened(self, context: Context) -> Context:
        """The context with what other steps need beside it."""
        return context

    @property
    def context(self) -> Context:
        """What the steps see, for composition beside them."""
        return self._context

    def verify(self) -> None:
        """What must hold before anything is changed: the right account, working DNS credentials, a load balancer."""
        self.aws.require_account(self.stack.account_id)
        if any(step.id == "dns-records" for step in self._steps):
            self._require_zones()
            for balancer in self.stack.balancers:
                self._context.targets.require(balancer.arn, balancer.dns_name, self.stack.region)

    def _require_zones(self) -> None:
        """Raise when no zone can be read. What is wrong with some of them only, the step says of their tenants."""
        named = sorted(zones_of(self.stack))
        failures: list[OrchestratorError] = []
        for place in named:
            try:
                self._context.dns(place.provider).check(place.zone)
            except (Interrupted, Expired):
                raise
            except OrchestratorError as error:
                failures.append(error)
        if failures and len(failures) == len(named):
            raise type(failures[0])(*(problem for failure in failures for problem in failure.problems))

    def run(self, emit: Emit, around: Around = runner.unguarded) -> Report:
        """Bring the stack to life; `around` is entered for each change."""
        if any(contract.passwords_of(self.stack)):
            self._context.lender.begin_run()
        return runner.run(
            self._steps,
            self._context,
            clock=self.clock,
            emit=emit,
            limits=self._limits,
            subjects=self._subjects,
            around=around,
        )

    @property
    def steps(self) -> tuple[str, ...]:
        """The ids of the steps that `run` makes."""
        return tuple(step.id for step in self._steps)

    @property
    def tenants(self) -> tuple[str, ...]:
        """Those that were asked for, else all."""
        return tuple(sorted(self._subjects or self.stack.tenants))

    def of(self, tenants: Collection[str], seconds: float | None) -> Self:
        """The same work for these tenants alone, which may take so long (None: no limit but each step's)."""
        other = copy.copy(self)
        other._subjects = set(tenants)
        other._limits = replace(self._limits, run=seconds)
        return other

    @property
    def seconds(self) -> float | None:
        """How long the whole run may take; None: that is not limited."""
        return self._limits.run

    def narrowed(self, only: Collection[str], tenants: Collection[str]) -> Operation:
        """The same work, its steps those named by `only`, for `tenants`."""
        other = copy.copy(self)
        other._steps = graph.subset(_repairing(), only=only)
        other._subjects = set(tenants)
        other._context = replace(self._context, close_looks=CloseLooks())  # it visits no site
        return other

    def only_as_shown(self, changes: frozenset[Change]) -> None:
        """From now on no DNS change is made but these."""
        self._context = replace(self._context, dns_rules=replace(self._context.dns_rules, shown=changes))

    def undoable(self) -> tuple[NameRestoration, ...]:
        """What undoing the last DNS change of each name would come to; changes nothing."""
        names = None
        if self._subjects is not None:
            names = {normal(self.stack.tenants[tenant].hostname) for tenant in self._subjects}
        return undo.survey(self._context.dns_rules.history, self._context.dns, names)

    def undo(self, wanted: Collection[NameRestoration], around: Around = runner.unguarded) -> None:
        """Put these back, and wait until every name server has it. Raises `TimedOut` when they don't in time."""
        with around("dns-undo", {one.entry.change.name: str(one.change) for one in wanted if one.change}):
            tickets = undo.restore(self._context.dns_rules.history, self._context.dns, wanted)
        deadline = self.clock.monotonic() + SETTLING
        while not all(self._context.dns(provider).settled(ticket) for provider, ticket in tickets):
            if self.clock.monotonic() > deadline:
                fix = "check again with `orchestrate dns check`: the change has been made"
                raise TimedOut(Problem("dns-not-settled", "the provider is still propagating it", "dns undo", fix))
            self.clock.sleep(min(self._limits.poll or 5.0, 5.0))

    def visibility(self, servers: Collection[str]) -> tuple[NameView, ...]:
        """How each hostname looks from the authoritative or configured resolver, and from `servers` (ADDRESS:PORT)."""
        tenants = {it: self.stack.tenants[it].hostname for it in self.tenants}
        asked = {"": self._context.resolver, **{one: resolve.connect(one, ()) for one in servers}}
        targets = {it: self.stack.balancer_of(it).dns_name for it in tenants}
        return visibility.look(tenants, targets, asked)

    def examine(self) -> Diagnosis:
        """What is wrong with the stack, causes first; changes nothing."""
        return consult(self._context, self.aws, self.clock, self._subjects)

    def foreign_services(self, tenants: Collection[Subject]) -> Mapping[Subject, str]:
        """Those of the tenants' services that aren't the stack's own, and why."""
        counts = ServiceCounts(self.aws.client("ecs"), self.stack.cluster)
        names = {name: one.name for name, one in self.stack.services.items() if one.tenant in tenants}
        found = foreign_among(self.stack, counts.read(list(names.values())))
        return {subject: found[name] for subject, name in names.items() if name in found}

    def newest_snapshot(self) -> datetime | None:
        """When the database server's newest snapshot was taken; None: there is none."""
        newest = self._context.rds.newest_snapshot(self.stack.database.server)
        return newest.taken if newest else None

    def embedding_providers(self) -> Mapping[Subject, int | None]:
        """How many each tenant has configured, by its own database; None: it could not be asked."""
        return rows_of(self._context.database, wanted_of(self.stack), "embedding_provider")

    def looking_together(self) -> Callable[[], Look]:
        """What is looked at with these from now on is asked for once (`engine.looks`)."""
        return looks.survey(self.clock.monotonic)

    def sights(
        self, known: Collection[str] = (), together: Callable[[], Look] | None = None
    ) -> Mapping[str, Observation]:
        """What each step observes now, the indexes' containers with them; changes nothing, looks not at `known`.

        `together`: of a look that has begun already, of which this is a part.
        """
        asked = [step for step in self._looked_at if step.id not in known]
        together = together or self.looking_together()
        return runner.sights(asked, self._looking_once(), subjects=self._subjects, together=together)

    def tasks(self) -> Iterator[Event]:
        """Every task that ECS still knows, newest first."""
        return tasks.observe(self.stack, self.tenants, self._context.ecs)

    def tail(self, search: Search, start: datetime) -> Tail:
        """The tenants' logs since then, to be read once or again and again."""
        wanted = self.tenants
        asked = [one for one in self.stack.services.values() if one.tenant in wanted and one.log_group]
        own = {(one.tenant, one.log_group) for one in asked if one.subject == one.tenant}
        groups = {
            one.subject: one.log_group
            for one in asked
            if one.log_group and (one.subject == one.tenant or (one.tenant, one.log_group) not in own)
        }
        return Tail(self._context.logs, groups, search, start)

    def indexes(self, kind: str) -> Mapping[str, IndexServer]:
        """By tenant, of those that were asked for. Raises `Invalid` when none has one of this kind."""
        there: AnyIndex = provider(kind)
        found = {name: one for name, one in there.of(self.stack).items() if name in self.tenants}
        if not found:
            fix = f"`{kind}` in the contract names each tenant's instance"
            message = f"the contract names no {there.title} for these tenants"
            raise Invalid(Problem(f"{there.name}-unknown", message, kind, fix))
        return found

    @property
    def ssm(self) -> Ssm:
        """For sessions with an instance."""
        return self._context.ssm

    def index_logs(self, kind: str, start: datetime) -> Mapping[str, Sequence[Line] | Problem]:
        """What the containers of this kind of index wrote since then, or why that can't be told."""
        return provider(kind).logs(self._context.ssm, self.indexes(kind), start)

    def learn_secrets(self) -> None:
        """Read the stack's secrets, as far as we may, so that they are hidden wherever they turn up."""
        stack = self.stack
        arns = {stack.database.admin_secret_arn, *(tenant.secret_arn for tenant in stack.tenants.values())}
        arns |= {stack.redis.auth_secret_arn} if stack.redis else set()
        with suppress(OrchestratorError):
            self._context.secrets.shapes(sorted(arn for arn in arns if arn and parse(arn).is_secret))

    def balancers(self) -> Mapping[str, str | None]:
        """Each load balancer's state by its name; None when it can't be asked now."""
        return {one.dns_name: self._state_of(one.arn) for one in self.stack.balancers}

    def _state_of(self, balancer: str) -> str | None:
        try:
            return self._context.targets.state(balancer)
        except OrchestratorError:
            return None

    def survey(self) -> Mapping[str, Mapping[Subject, Verdict]]:
        """What each step observes now; changes nothing."""
        context, monotonic = self._looking_once(), self.clock.monotonic
        return runner.survey(self._steps, context, subjects=self._subjects, monotonic=monotonic)

    def _looking_once(self) -> Context:
        """The context for a look for itself: it knows what this run caused, and waits for nothing."""
        memory = RunMemory(self._context.rollout_memory.value.afresh())
        rules = replace(self._context.wait_rules, found=0.0)
        return replace(self._context, rollout_memory=memory, first_looks=FirstLooks(repeated=False), wait_rules=rules)


def _repairing() -> tuple[AnyStep, ...]:
    """What a run makes, and what only `doctor --fix` does, before anything is started again."""
    last = rollouts_stopped.STEP
    return (
        last,
        *(replace(step, needs=(*step.needs, last.id)) if step.id == "redeploy" else step for step in steps.discover()),
    )


def _nameable() -> tuple[AnyStep, ...]:
    """Every step that a time-out may be set for, whatever the command: the settings are those of all commands."""
    every = (*resume.steps(steps.discover()), *pause.steps(whole=True), *catalogue.own())
    return tuple({step.id: step for step in every}.values())


def _on_request(discovered: Collection[AnyStep], skip: Collection[str]) -> Iterator[AnyStep]:
    """What is looked at although no run makes it unasked: `doctor --fix` would."""
    return (step for step in discovered if step.on_request and step.id not in skip)


def _database_rules(settings: Settings, selection: Selection, stack: Stack) -> DatabaseRules:
    adopted = settings["adopt-database"]
    known = {tenant.database for tenant in stack.tenants.values()}
    asked = [("--adopt-database", name) for name in adopted] + [
        ("--new-database", it) for it in selection.new_databases
    ]
    unknown = [(place, name) for place, name in asked if name not in known]
    if unknown:
        raise Invalid(*(_no_database(place, name, sorted(known)) for place, name in unknown))
    return DatabaseRules(frozenset(adopted), frozenset(selection.new_databases))


def _known_tenants(asked: Collection[str], stack: Stack) -> Collection[str] | None:
    known = sorted(stack.tenants)
    if unknown := sorted(set(asked) - stack.tenants.keys()):
        raise Invalid(*(_no_tenant(name, known) for name in unknown))
    return set(asked) or None


def _no_database(place: str, name: str, known: Sequence[str]) -> Problem:
    fix = correction(name, known, "tenants' databases")
    return Problem("database-unknown", f"no tenant has a database {name!r}", place, fix)


def _no_tenant(name: str, known: Sequence[str]) -> Problem:
    fix = correction(name, known, "stack's tenants")
    return Problem("tenant-unknown", f"there is no tenant {name!r}", "--tenant", fix)
