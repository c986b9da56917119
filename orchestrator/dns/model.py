"""DNS records as values, and the pure plan all providers share: what makes a name point to our load balancer.

Nothing here talks to anybody. A record that is not recognisably ours is never part of a change: it is a `Conflict`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from orchestrator.aws.partitions import SUFFIXES
from orchestrator.dns.names import bare, covering, is_within, normal, with_ancestors
from orchestrator.errors import Problem, Refused

Ours: TypeAlias = Callable[[str], bool]
"""Whether a record's value is a name that was (or is) this stack's load balancer."""

ADDRESS_TYPES = frozenset({"A", "AAAA", "CNAME", "ALIAS"})
NAME_VALUED_TYPES = frozenset({"CNAME", "ALIAS", "NS"})

_ENDS = "|".join(map(re.escape, SUFFIXES))
_NUMBERED = re.compile(rf"^(?P<name>[^.]+)-[0-9a-f]+(?P<rest>\.[a-z0-9.-]*\.(?:{_ENDS}))$")


@dataclass(frozen=True, slots=True)
class Record:
    """All values of one name and type. Names are normal (`normal`); `ttl` in seconds, None for a Route 53 alias.

    `alias_zone` is the hosted zone of an alias's target, and is what makes a Route 53 A record an alias. `policy` names
    the routing policy that it is part of: several records then share a name, and none of them is ours to touch. `kept`
    holds, for each value, the fields that we don't understand, as JSON (`extras`): they stay what they are. `origin` is
    the provider's own handle (its ids, or its raw form), needed to change the record; it is no part of its identity.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int | None = None
    alias_zone: str = ""
    policy: str = ""
    kept: tuple[str, ...] = ()
    origin: tuple[str, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", normal(self.name))
        if self.type in NAME_VALUED_TYPES or self.alias_zone:
            object.__setattr__(self, "values", tuple(sorted(map(normal, self.values))))

    def __str__(self) -> str:
        return f"{self.name} {self.content}"

    @property
    def content(self) -> str:
        """All but its name, as people write it."""
        alias = "alias " if self.alias_zone else ""
        seconds = "" if self.ttl is None else f", TTL {self.ttl}"
        return f"{alias}{self.type} {', '.join(self.values)}{seconds}"

    @property
    def answers(self) -> tuple[str, ...]:
        """What a visitor is told by it: type, target zone and values, whatever its TTL."""
        return (self.type, self.alias_zone, self.policy, *map(bare, self.values))

    @property
    def is_pointer(self) -> bool:
        """Whether it leads to another name (CNAME, ALIAS, Route 53 alias) rather than to data."""
        return self.type in {"CNAME", "ALIAS"} or bool(self.alias_zone)

    @property
    def is_answer(self) -> bool:
        """Whether it answers those who ask for an address, by itself or by what it leads to."""
        return self.type in ADDRESS_TYPES

    @property
    def is_proxied(self) -> bool:
        """Whether the provider's proxy stands before what it leads to, so that the DNS shows the proxy's addresses."""
        return any(extras(each).get("proxied") is True for each in self.kept)

    def leads_to(self, target: str) -> bool:
        """Whether it leads to this name and to no other, be it one answer of several."""
        return self.is_pointer and {bare(value) for value in self.values} == {bare(target)}

    def points_to(self, target: str) -> bool:
        """Whether it leads to this name and to no other, for everybody."""
        return not self.policy and self.leads_to(target)


def extras(kept: str) -> dict[str, Any]:
    """The fields of one value that aren't understood, by their names."""
    found: dict[str, Any] = json.loads(kept) if kept else {}
    return found


@dataclass(frozen=True, slots=True)
class Change:
    """At `name`, `before` (every record that has to go; empty: none) becomes `after` (empty: none), in one batch."""

    name: str
    before: tuple[Record, ...]
    after: tuple[Record, ...]

    def __str__(self) -> str:
        wanted, present = ("; ".join(record.content for record in records) for records in (self.after, self.before))
        was = f" (was: {present})" if present else " (new)"
        return f"{self.name} {wanted or 'removed'}{was}"


@dataclass(frozen=True, slots=True)
class Conflict:
    """What is in the way of `wanted` and isn't ours: never overwritten."""

    wanted: Record
    present: tuple[Record, ...]

    @property
    def _reason(self) -> str:
        policies = sorted({record.policy for record in self.present if record.policy})
        if policies:
            which = f"one answer of several ({', '.join(policies)}), and it is not known which should point where"
            return f"{self.wanted.name} has a routing policy: its records are {which}"
        beside = all(not record.is_answer for record in self.present)
        why = ", and no CNAME may exist next to it" if beside else ""
        return f"{self.wanted.name} already has a record that doesn't belong to this stack{why}"

    @property
    def _way_out(self) -> str:
        if any(record.policy for record in self.present):
            return f"at the provider, point this stack's answer to {self.wanted.values[0]}; its policy stays"
        way = "delete that record and run again"
        if all(is_adoptable(record) for record in self.present):
            way = "let it be replaced with --adopt"
        return f"if nothing needs it, {way}, or set it yourself to: {self.wanted}"

    @property
    def problem(self) -> Problem:
        """Names the present value and the way out."""
        present = "; ".join(map(str, self.present))
        return Problem("dns-foreign-record", f"{self._reason}: {present}", self.wanted.name, self._way_out)


@dataclass(frozen=True, slots=True)
class ZonePlan:
    """What to change in one zone. Applied only as a whole and only as shown: `checksum` names it."""

    zone: str
    changes: tuple[Change, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @property
    def checksum(self) -> str:
        """The same for the same plan, whoever computed it: SHA-256, hexadecimal."""
        content = {
            "zone": self.zone,
            "changes": [
                [change.name, [_content(old) for old in change.before], [_content(new) for new in change.after]]
                for change in self.changes
            ],
            "conflicts": [[_content(c.wanted), [_content(old) for old in c.present]] for c in self.conflicts],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def raise_if_unsafe(self) -> None:
        """Refuse a plan that would overwrite what isn't ours, naming every such record."""
        if self.conflicts:
            raise Refused(*(conflict.problem for conflict in self.conflicts))


def _content(record: Record) -> dict[str, Any]:
    return {key: value for key, value in asdict(record).items() if key != "origin"}


def plan(
    zone: str,
    existing: Iterable[Record],
    desired: Iterable[Record],
    ours: Ours,
    *,
    adopt: bool = False,
    alias_zone: str = "",
) -> ZonePlan:
    """How each desired pointer comes true. Pure; the order of `existing` and `desired` does not matter.

    Absent: created, unless a wildcard record leads there already. Leading there, in whatever form: nothing. Leading to
    a name of ours: led on, and all but its target stays what it is: its form, its TTL, what else it carries
    (`alias_zone` is the hosted zone of an alias's new target; empty: that of the old one). Anything else in its way: a
    conflict, or with `adopt` replaced, if it only answers with names and addresses. What may stand beside it (TXT, MX,
    CAA) stays, and so do other names.
    """
    by_name: dict[str, list[Record]] = {}
    for record in existing:
        by_name.setdefault(record.name, []).append(record)
    there = with_ancestors(by_name)
    changes, conflicts = [], []
    for wanted in sorted(desired, key=lambda record: (record.name, record.type)):
        present = tuple(sorted(by_name.get(wanted.name, ()), key=lambda one: (one.type, one.policy, one.values)))
        if not present and _leads_there(wanted, by_name.get(covering(wanted.name, there), ())):
            continue
        match _towards(wanted, present, ours, adopt=adopt, alias_zone=alias_zone):
            case Change() as change:
                changes.append(change)
            case Conflict() as conflict:
                conflicts.append(conflict)
    return ZonePlan(normal(zone), tuple(changes), tuple(conflicts))


def _leads_there(wanted: Record, wildcard: Iterable[Record]) -> bool:
    answers = [record for record in wildcard if record.is_answer]
    return bool(answers) and all(record.points_to(wanted.values[0]) for record in answers)


def _towards(
    wanted: Record, present: tuple[Record, ...], ours: Ours, *, adopt: bool, alias_zone: str
) -> Change | Conflict | None:
    target = wanted.values[0]
    answers = tuple(record for record in present if record.is_answer)
    others = tuple(record for record in present if not record.is_answer)
    if any(record.policy for record in answers):
        return _by_policy(wanted, answers, ours)
    if answers and all(record.points_to(target) for record in answers):
        return None if {record.type for record in answers} != {"AAAA"} else Change(wanted.name, (), _over_ipv4(answers))
    foreign = tuple(record for record in answers if not _is_ours(record, wanted, ours))
    in_the_way = tuple(record for record in foreign if not (adopt and is_adoptable(record)))
    # A CNAME suffers nothing beside it. Where one stands beside something already, its provider is of another mind.
    anew = foreign or not answers
    if in_the_way or (anew and others and wanted.type == "CNAME"):
        return Conflict(wanted, (*in_the_way, *(others if anew and wanted.type == "CNAME" else ())))
    if not answers:
        return Change(wanted.name, (), (wanted,))
    return Change(wanted.name, answers, _replaced(wanted, answers) if foreign else _led_on(wanted, answers, alias_zone))


def _by_policy(wanted: Record, answers: tuple[Record, ...], ours: Ours) -> Conflict | None:
    """One that leads there among others, none of them to a former name: right, as somebody arranged it."""
    target = wanted.values[0]
    stale = any(ours(value) for one in answers if not one.leads_to(target) for value in one.values)
    return None if any(one.leads_to(target) for one in answers) and not stale else Conflict(wanted, answers)


def _led_on(wanted: Record, present: tuple[Record, ...], alias_zone: str) -> tuple[Record, ...]:
    """The same records, with another target. An alias answers for one family of addresses: there is one for IPv4."""
    after = [
        replace(
            record,
            values=wanted.values,
            ttl=wanted.ttl if record.ttl is None and not record.alias_zone else record.ttl,
            alias_zone=record.alias_zone and (wanted.alias_zone or alias_zone or record.alias_zone),
            kept=record.kept[:1],
            origin=(),
        )
        for record in present
    ]
    return (*_over_ipv4(after), *after) if {record.type for record in after} == {"AAAA"} else tuple(after)


def _over_ipv4(over_ipv6: Sequence[Record]) -> tuple[Record, ...]:
    """The alias that is missing beside one for IPv6."""
    return (replace(over_ipv6[0], type="A", values=tuple(map(bare, over_ipv6[0].values)), origin=()),)


def _replaced(wanted: Record, present: tuple[Record, ...]) -> tuple[Record, ...]:
    """The wanted record in their place, with the longest of their TTLs and what the first of them carries."""
    seconds = [record.ttl for record in present if record.ttl is not None]
    kept = next((record.kept[:1] for record in present if record.kept), ())
    one = replace(wanted, kept=kept, ttl=max(seconds) if seconds and wanted.ttl is not None else wanted.ttl)
    over_ipv6 = wanted.alias_zone and any(it.is_pointer and it.type == "AAAA" for it in present)
    return (one, replace(one, type="AAAA")) if over_ipv6 else (one,)


def is_adoptable(record: Record) -> bool:
    """Whether `--adopt` may replace it: it answers with names or addresses, and is nobody's routing policy."""
    return record.is_answer and not record.policy


def _is_ours(record: Record, wanted: Record, ours: Ours) -> bool:
    known = {bare(wanted.values[0])}
    return record.is_pointer and not record.policy and all(bare(v) in known or ours(v) for v in record.values)


def pointer(
    hostname: str, target: str, *, zone: str, ttl: int, apex: str, minimum_ttl: int, target_zone: str
) -> Record:
    """The record that leads `hostname` to the load balancer `target`: a CNAME; at the apex what the provider has.

    `apex` is the provider's type there (`A`: an alias to `target` in hosted zone `target_zone`; `ALIAS`).
    """
    seconds = max(ttl, minimum_ttl)
    if normal(hostname) != normal(zone):
        return Record(hostname, "CNAME", (normal(target),), seconds)
    if apex == "A":
        return Record(hostname, "A", (normal(target),), None, alias_zone=target_zone)
    return Record(hostname, apex, (normal(target),), seconds)


def former_names(load_balancer: str) -> Ours:
    """Recognises this load balancer's name, and those it had before it was made again: the same but for the number.

    `onyx-prod-alb-419508292.us-west-2.elb.amazonaws.com`: each load balancer of that name and region gets a new one.
    """
    current = bare(load_balancer)
    parts = _NUMBERED.match(current)
    if parts is None:
        return lambda value: bare(value) == current
    alike = re.compile(rf"{re.escape(parts['name'])}-[0-9a-f]+{re.escape(parts['rest'])}")
    return lambda value: alike.fullmatch(bare(value)) is not None


def delegation(hostname: str, zone: str, records: Iterable[Record]) -> str:
    """The name below the apex, at or above `hostname`, whose NS records give it away; empty: it is the zone's."""
    given_away = {r.name for r in records if r.type == "NS" and r.name != normal(zone) and is_within(hostname, r.name)}
    return max(given_away, key=len, default="")


class DnsProvider(Protocol):
    """Whoever holds a zone's records. One file gives a `connect(Connection) -> DnsProvider`, found by entry point.

    All methods raise `Invalid` for missing or rejected credentials and unknown zones, `Transient` for what may pass.
    """

    @property
    def name(self) -> str:
        """As in the contract's `dns.provider`."""
        ...

    @property
    def apex(self) -> str:
        """The type that leads the zone's own name elsewhere: `A` (Route 53's alias) or `ALIAS`."""
        ...

    @property
    def minimum_ttl(self) -> int:
        """Seconds; the provider takes no less."""
        ...

    def zones(self) -> frozenset[str]:
        """The names (normal) of the public zones that the credentials see. Asked only where the contract's won't do."""
        ...

    def check(self, zone: str) -> None:
        """Prove, changing nothing, that the zone is there and that the credentials read it."""
        ...

    def records(self, zone: str) -> frozenset[Record]:
        """Every record of the zone, in one list call (paginated where the provider paginates)."""
        ...

    def submit(self, zone: str, plan: ZonePlan) -> str:
        """Make the plan's changes, in as few calls as possible; a ticket to ask `settled` with.

        A change that fails holds up no other: then `SubmittedInPart` is raised at the end. Any other error means that
        none was made.
        """
        ...

    def settled(self, ticket: str) -> bool:
        """Whether the provider's name servers all have it."""
        ...


def unassumable(role: str) -> Any:
    """For connections that know nothing of roles."""
    raise AssertionError(f"nobody can assume {role} here")


@dataclass(frozen=True, slots=True)
class Connection:
    """What a provider is made from. `client` gives an AWS client by service name; `sleep`, `clock`: in seconds."""

    environment: Mapping[str, str] = field(repr=False)
    client: Callable[[str], Any]
    sleep: Callable[[float], None]
    clock: Callable[[], float]
    region: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)
    """By zone the IAM role that is assumed for it: the zone is in another account."""
    assumed: Callable[[str, str], Any] = lambda _service, role: unassumable(role)
    """An AWS client by service name and role."""
