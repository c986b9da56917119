"""`dns-records`: every hostname leads to the stack's present load balancer, in the zone and as the world sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from orchestrator.dns import model, names, places, submission
from orchestrator.dns.history import History
from orchestrator.dns.model import Change, Conflict, DnsProvider, Record
from orchestrator.dns.places import ZonePlace, ZoneReader
from orchestrator.dns.resolve import DnsAnswer, Resolver
from orchestrator.dns.submission import LocatedChange
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Unread, Verdict, Verdicts, Wait
from orchestrator.engine.subjects import ABOUT_US
from orchestrator.errors import OrchestratorError, Problem, Refused, Transient
from orchestrator.stack.contract import LoadBalancer, Stack

QUESTIONS_AT_ONCE = 16


class Balancers(Protocol):
    """Who knows which load balancers there are."""

    def alive(self, dns_names: Iterable[str]) -> frozenset[str]:
        """Those of the names that a load balancer of this account bears."""
        ...


@dataclass(frozen=True)
class RecordRules:
    """How records may be changed. `shown`: the only changes allowed, those a person agreed to; None: any.

    `adopt` lets foreign names and addresses be replaced. `managed` are the names whose records are Terraform's own.
    """

    history: History
    adopt: bool = False
    shown: frozenset[Change] | None = None
    managed: Callable[[], frozenset[str]] = frozenset


class DnsRecordsContext(Protocol):
    """What the step needs. `dns_tickets` is the run's memory of what was submitted (a new run needs none)."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def dns(self) -> places.Connect:
        """Who holds zones, by the provider's name."""
        ...

    @property
    def dns_rules(self) -> RecordRules:
        """What may be changed."""
        ...

    @property
    def targets(self) -> Balancers:
        """Who knows the load balancers."""
        ...

    @property
    def resolver(self) -> Resolver:
        """Who is asked what the world sees."""
        ...

    @property
    def dns_tickets(self) -> list[tuple[str, str]]:
        """Provider and what its `submit` returned in this run."""
        ...


@dataclass(frozen=True, slots=True)
class DnsRecordsFacts:
    """`places`, `desired` and `hostnames` are by tenant, `present` holds the records at the hostnames, by tenant.

    Where a hostname has none, those of the wildcard that covers it. `alias_zone` is the load balancer's; `balancers`
    are those of the tenants that have another than the stack's, `targets` what the resolver says of these by name.
    A tenant without place or problem has no DNS of ours; the problems of those in `passing` may pass. `answers`, by
    hostname, are asked for once the records are right. `written` are the names that we led records to before; `alive`
    former names that still serve somebody. `remembered`: seconds that resolvers may keep a name's earlier answer.
    """

    load_balancer: str
    hostnames: Mapping[Subject, str]
    alias_zone: str = ""
    places: Mapping[Subject, ZonePlace] = field(default_factory=dict)
    problems: Mapping[Subject, Problem] = field(default_factory=dict)
    passing: frozenset[Subject] = frozenset()
    present: Mapping[Subject, tuple[Record, ...]] = field(default_factory=dict)
    desired: Mapping[Subject, Record] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    alive: frozenset[str] = frozenset()
    managed: frozenset[str] = frozenset()
    adopt: bool = False
    settled: bool = True
    target: DnsAnswer | None = None
    answers: Mapping[str, DnsAnswer] = field(default_factory=dict)
    remembered: Mapping[str, int] = field(default_factory=dict)
    elsewhere: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By zone: the name servers that the world asks about it, where none of them is of the zone's own."""
    balancers: Mapping[Subject, LoadBalancer] = field(default_factory=dict)
    targets: Mapping[str, DnsAnswer] = field(default_factory=dict)

    def balancer_of(self, tenant: Subject) -> str:
        """The name of the load balancer that the tenant's hostname shall lead to."""
        return self.balancers[tenant].dns_name if tenant in self.balancers else self.load_balancer

    def target_of(self, tenant: Subject) -> DnsAnswer | None:
        """What the resolver says of it."""
        return self.targets.get(self.balancer_of(tenant)) if tenant in self.balancers else self.target

    @property
    def present_names(self) -> frozenset[str]:
        """Of the stack's own load balancers."""
        return frozenset({self.load_balancer, *(one.dns_name for one in self.balancers.values())})

    def recognised(self, name: str) -> bool:
        """Whether it is a load balancer's of ours, or looks like one that it had, or was written by us."""
        return any(model.former_names(one)(name) for one in self.present_names) or names.bare(name) in self.written

    def needed(self, tenant: Subject) -> Change | Conflict | None:
        """What the tenant's zone needs at its name."""

        def ours(name: str) -> bool:
            return self.recognised(name) and names.bare(name) not in self.alive

        zone, present, desired = self.places[tenant].zone, self.present.get(tenant, ()), self.desired[tenant]
        alias_zone = self.balancers[tenant].zone_id if tenant in self.balancers else self.alias_zone
        plan = model.plan(zone, present, [desired], ours, adopt=self.adopt, alias_zone=alias_zone)
        return plan.changes[0] if plan.changes else plan.conflicts[0] if plan.conflicts else None


def observe(context: DnsRecordsContext) -> DnsRecordsFacts:
    """One list of each zone; the resolver is asked once records and providers are right."""
    stack, zone_reader = context.stack, ZoneReader(context.dns)
    hostnames = {tenant: names.normal(it.hostname) for tenant, it in stack.tenants.items()}
    located, problems = places.locate(stack, zone_reader)
    facts = DnsRecordsFacts(
        load_balancer=stack.load_balancer.dns_name,
        alias_zone=stack.load_balancer.zone_id,
        hostnames=hostnames,
        places=located,
        problems=problems,
        passing=frozenset(tenant for tenant, problem in problems.items() if zone_reader.may_pass(problem)),
        present={tenant: zone_reader.at(place, hostnames[tenant]) for tenant, place in located.items()},
        desired={tenant: _desired(context, tenant, place) for tenant, place in located.items()},
        written=context.dns_rules.history.written() if located else frozenset(),
        remembered=context.dns_rules.history.remembered() if located else {},
        adopt=context.dns_rules.adopt,
        settled=all(_settled(context.dns(provider), ticket) for provider, ticket in context.dns_tickets),
        balancers={
            tenant: stack.balancer_of(tenant)
            for tenant in stack.tenants
            if stack.balancer_of(tenant).arn != stack.load_balancer.arn
        },
    )
    facts = replace(facts, alive=_alive_elsewhere(facts, context))
    if any(facts.needed(tenant) for tenant in located):
        facts = replace(facts, managed=context.dns_rules.managed())
    facts = _as_seen(facts, context.resolver)
    return replace(facts, elsewhere=_elsewhere(facts, zone_reader, context.resolver))


def _settled(provider: DnsProvider, ticket: str) -> bool:
    """Whether it is spread. Where the provider will never say, its name servers do, which are asked afterwards."""
    try:
        return provider.settled(ticket)
    except Transient:
        return False
    except ABOUT_US:
        raise
    except OrchestratorError:
        return True


def _desired(context: DnsRecordsContext, tenant: Subject, place: ZonePlace) -> Record:
    stack, provider = context.stack, context.dns(place.provider)
    asked = places.wanted(stack, tenant)
    hostname, ttl = stack.tenants[tenant].hostname, asked.ttl if asked else provider.minimum_ttl
    return pointer(hostname, stack.balancer_of(tenant), place.zone, ttl, provider)


def pointer(hostname: str, balancer: LoadBalancer, zone: str, ttl: int, provider: DnsProvider) -> Record:
    """The record that this provider needs for the hostname."""
    return model.pointer(
        hostname,
        balancer.dns_name,
        zone=zone,
        ttl=ttl,
        apex=provider.apex,
        minimum_ttl=provider.minimum_ttl,
        target_zone=balancer.zone_id,
    )


def _alive_elsewhere(facts: DnsRecordsFacts, context: DnsRecordsContext) -> frozenset[str]:
    """Of the recognised names that records lead to, those of a load balancer that lives beside ours.

    In this account the load balancers are asked; another account's stack of the same name only shows in the DNS, which
    is not asked about names that we ourselves wrote.
    """
    own = set(map(names.bare, facts.present_names))
    pointers = (record for records in facts.present.values() for record in records if record.is_pointer)
    led_to = {names.bare(value) for record in pointers for value in record.values}
    former = sorted(name for name in led_to - own if facts.recognised(name))
    if not former:
        return frozenset()
    foreign = [name for name in former if name not in facts.written]
    with ThreadPoolExecutor(max_workers=QUESTIONS_AT_ONCE) as pool:
        answers = pool.map(context.resolver.resolve, foreign)
        resolving = {name for name, answer in zip(foreign, answers, strict=True) if answer.addresses}
    return context.targets.alive(former) | resolving


def _as_seen(facts: DnsRecordsFacts, resolver: Resolver) -> DnsRecordsFacts:
    """The same facts with what the resolver says about the names whose records are right."""
    right = {tenant: record.name for tenant, record in facts.desired.items() if facts.needed(tenant) is None}
    if not right or not facts.settled:
        return facts
    asked = dict.fromkeys([facts.load_balancer, *map(facts.balancer_of, right), *right.values()])
    with ThreadPoolExecutor(max_workers=QUESTIONS_AT_ONCE) as pool:
        found = dict(zip(asked, pool.map(resolver.resolve, asked), strict=True))
    return replace(
        facts,
        target=found[facts.load_balancer],
        targets={name: found[name] for name in map(facts.balancer_of, right)},
        answers={name: found[name] for name in right.values()},
    )


def _elsewhere(facts: DnsRecordsFacts, zone_reader: ZoneReader, resolver: Resolver) -> Mapping[str, tuple[str, ...]]:
    """Who the world asks about the zones of names that aren't seen, where it isn't the zone's own servers."""
    wrong = {facts.places[tenant] for tenant in facts.places if _is_wrong(facts, tenant)}
    found = {}
    for place in sorted(wrong):
        own = {value for one in zone_reader.at(place, place.zone) if one.type == "NS" for value in one.values}
        asked = tuple(sorted(map(names.normal, resolver.name_servers(place.zone))))
        if own and asked and own.isdisjoint(asked):
            found[place.zone] = asked
    return found


def _is_wrong(facts: DnsRecordsFacts, tenant: Subject) -> bool:
    answer, target = facts.answers.get(facts.hostnames[tenant]), facts.target_of(tenant)
    return answer is not None and target is not None and not answer.leads_to(target)


def decide(facts: DnsRecordsFacts) -> Verdicts:
    """Per tenant; without any DNS of ours one `Done` that says what to set by hand."""
    if not facts.places and not facts.problems:
        return {STACK: Done(_by_hand(facts, facts.hostnames))}
    return {tenant: _verdict(facts, tenant, name) for tenant, name in facts.hostnames.items()}


def _by_hand(facts: DnsRecordsFacts, tenants: Iterable[Subject]) -> str:
    led: dict[str, list[str]] = {}
    for tenant in tenants:
        led.setdefault(facts.balancer_of(tenant), []).append(facts.hostnames[tenant])
    ways = " and ".join(f"{', '.join(sorted(hostnames))} to {balancer}" for balancer, hostnames in led.items())
    return f"DNS isn't managed here (no `dns` in the contract): point {ways} by CNAME yourself"


def _verdict(facts: DnsRecordsFacts, tenant: Subject, name: str) -> Verdict:
    if tenant in facts.problems:
        return Unread(facts.problems[tenant], tenant in facts.passing).verdict
    if tenant not in facts.places:
        return Done(_by_hand(facts, [tenant]))
    needed = facts.needed(tenant)
    if needed is not None and name in facts.managed:
        return Blocked(_terraforms(needed, facts.desired[tenant]))
    match needed:
        case Conflict() as conflict:
            return Blocked(_conflict(facts, conflict), refused=True)
        case Change() as change:
            return Todo(f"set {change}", LocatedChange(facts.places[tenant], change))
    if not facts.settled:
        spreading = f"{facts.places[tenant].provider} is propagating {name} to its name servers"
        return Wait(spreading, code="dns-not-settled", fix="run the same command again: the change has been made")
    return _as_answered(facts, tenant, name)


def _conflict(facts: DnsRecordsFacts, conflict: Conflict) -> Problem:
    alive = {value for record in conflict.present for value in record.values if names.bare(value) in facts.alive}
    if not alive:
        return conflict.problem
    return replace(
        conflict.problem,
        code="dns-load-balancer-alive",
        message=f"{conflict.wanted.name} points to {', '.join(sorted(alive))}, which is in use but not this stack's",
    )


def _terraforms(needed: Change | Conflict, desired: Record) -> Problem:
    return Problem(
        code="dns-managed-by-terraform",
        message=f"Terraform manages {desired.name} (aws_route53_record in its state), and it isn't right: "
        f"{needed if isinstance(needed, Change) else needed.problem.message}",
        context=desired.name,
        fix="make that resource use the load balancer's dns_name and apply, or remove it from Terraform",
    )


def _as_answered(facts: DnsRecordsFacts, tenant: Subject, name: str) -> Verdict:
    answer, place, target = facts.answers.get(name), facts.places[tenant], facts.target_of(tenant)
    if answer is None or target is None:
        return Wait(f"{name} has not been looked up yet", code="dns-not-visible")
    if answer.leads_to(target):
        left = facts.remembered.get(name)
        return Done(f"{answer}; everyone sees it within {left} s" if left else f"{answer}")
    present = facts.present.get(tenant, ())
    if answer.every and any(record.is_proxied for record in present):
        return Done(f"{answer}: the proxy of {place.provider}, which points to {facts.balancer_of(tenant)}")
    if answer.every and any(record.policy for record in present):
        return Done(f"{answer}: one answer of several, by the name's routing policy; another points here")
    if place.zone in facts.elsewhere:
        asked = ", ".join(facts.elsewhere[place.zone])
        return Wait(
            f"the record is right, but {place.zone} is delegated to {asked}, and those are not the zone's servers",
            code="dns-zone-elsewhere",
            fix=f"set this zone's servers for {place.zone} at its registrar; or name in `dns` the provider that has "
            f"it: {asked}",
        )
    remembered = f"; it may be cached for {answer.ttl} s" if answer.ttl else ""
    said = "DNS still says" if answer.is_final else "no name server gave an answer:"
    return Wait(
        f"the record is right, but {said} {answer}{remembered}",
        code="dns-not-visible",
        fix=f"check that the name servers registered for {place.zone} are those of this zone at {place.provider}",
    )


def apply(context: DnsRecordsContext, todos: Mapping[Subject, Todo]) -> None:
    """All tenants' changes of a zone in one plan: one batch. What fails for one tenant or provider stops no other."""
    rules = context.dns_rules
    located: Mapping[Subject, LocatedChange] = {tenant: todo.payload for tenant, todo in todos.items()}
    _require_shown(rules.shown, located.values())
    submission.submit(
        context.dns,
        located,
        intend=lambda place, changes: rules.history.intend(place.provider, place.zone, changes),
        accepted=lambda provider, ticket: context.dns_tickets.append((provider, ticket)),
    )


def _require_shown(shown: frozenset[Change] | None, located: Iterable[LocatedChange]) -> None:
    """Raise `Refused` for a change that nobody agreed to: the zone is not what it was when the plan was shown."""
    unseen = [one.change for one in located if shown is not None and one.change not in shown]
    if unseen:
        fix = "run the same command again, and review the new plan"
        raise Refused(
            *(
                Problem("dns-plan-changed", f"this is not what was shown: {change}", change.name, fix)
                for change in unseen
            )
        )


STEP: Step[DnsRecordsContext, DnsRecordsFacts] = Step(
    id="dns-records",
    title="hostnames point to the load balancer",
    observe=observe,
    decide=decide,
    apply=apply,
    timeout=300.0,
)
