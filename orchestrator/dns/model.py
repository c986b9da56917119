"""DNS records as values, and the pure plan all providers share: what makes a name lead to our load balancer.

Nothing here talks to anybody. A record that is not recognisably ours is never part of a change: it is a `Conflict`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from orchestrator.aws.partitions import SUFFIXES
from orchestrator.errors import Expired, Interrupted, OrchestratorError, PartlyFailed, Problem, Refused, Transient

Ours: TypeAlias = Callable[[str], bool]
"""Whether a record's value is a name that was (or is) this stack's load balancer."""

ADDRESS_TYPES = frozenset({"A", "AAAA", "CNAME", "ALIAS"})
NAME_VALUED_TYPES = frozenset({"CNAME", "ALIAS", "NS"})

_DUALSTACK = "dualstack."
_ENDS = "|".join(map(re.escape, SUFFIXES))
_NUMBERED = re.compile(rf"^(?P<name>[^.]+)-[0-9a-f]+(?P<rest>\.[a-z0-9.-]*\.(?:{_ENDS}))$")


def normal(name: str) -> str:
    """A DNS name as it is compared: lower case, without the last dot."""
    return name.lower().rstrip(".")


def bare(target: str) -> str:
    """A load balancer's name without the `dualstack.` that the Route 53 console writes before it."""
    return normal(target).removeprefix(_DUALSTACK)


@dataclass(frozen=True, slots=True)
class Record:
    """All values of one name and type. Names are normal (`normal`); `ttl` in seconds, None for a Route 53 alias.

    `alias_zone` is the hosted zone of an alias's target, and is what makes a Route 53 A record an alias. `policy` is a
    routing policy's set identifier: several records then share a name, and none of them is ours to touch. `origin` is
    the provider's own handle (its ids, or its raw form), needed to change the record; it is no part of its identity.
    """

    name: str
    type: str
    values: tuple[str, ...]
    ttl: int | None = None
    alias_zone: str = ""
    policy: str = ""
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

    def points_to(self, target: str) -> bool:
        """Whether it leads to this name and to no other."""
        return self.is_pointer and not self.policy and {bare(value) for value in self.values} == {bare(target)}


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
    def _way_out(self) -> str:
        if all(is_adoptable(record) for record in self.present):
            return "let it be replaced with --adopt"
        return "delete that record and run again"

    @property
    def problem(self) -> Problem:
        """Names the present value and the way out."""
        present = "; ".join(map(str, self.present))
        return Problem(
            code="dns-foreign-record",
            message=f"{self.wanted.name} already has a record that doesn't belong to this stack: {present}",
            context=self.wanted.name,
            fix=f"if nothing needs it, {self._way_out}, or set it yourself to: {self.wanted}",
        )


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
    zone: str, existing: Iterable[Record], desired: Iterable[Record], ours: Ours, *, adopt: bool = False
) -> ZonePlan:
    """How each desired pointer comes true. Pure; the order of `existing` and `desired` does not matter.

    Absent: created. Leading there already, in whatever form: nothing. Leading to a name of ours: replaced, keeping its
    TTL (an alias has none: then the desired one). Anything else in its way: a conflict, or with `adopt` replaced too,
    if it only answers with names and addresses. Other names stay as they are.
    """
    by_name: dict[str, list[Record]] = {}
    for record in existing:
        by_name.setdefault(record.name, []).append(record)
    changes, conflicts = [], []
    for wanted in sorted(desired, key=lambda record: (record.name, record.type)):
        match _towards(wanted, _in_the_way(wanted, by_name.get(wanted.name, ())), ours, adopt=adopt):
            case Change() as change:
                changes.append(change)
            case Conflict() as conflict:
                conflicts.append(conflict)
    return ZonePlan(normal(zone), tuple(changes), tuple(conflicts))


def _in_the_way(wanted: Record, present: Iterable[Record]) -> tuple[Record, ...]:
    """A CNAME suffers no other record at its name; the others only those that answer with addresses."""
    alone = wanted.type == "CNAME"
    blocking = (record for record in present if alone or record.type in ADDRESS_TYPES)
    return tuple(sorted(blocking, key=lambda record: (record.type, record.policy, record.values)))


def _towards(wanted: Record, present: tuple[Record, ...], ours: Ours, *, adopt: bool) -> Change | Conflict | None:
    if not present:
        return Change(wanted.name, (), (wanted,))
    pointers = tuple(record for record in present if record.is_pointer)
    # Beside an alias (never beside a CNAME) other records may live: if all pointers are right, nothing has to move.
    others = tuple(record for record in present if not record.is_pointer and record.type in ADDRESS_TYPES)
    if pointers and not others and all(record.points_to(wanted.values[0]) for record in pointers):
        beside_it = wanted.alias_zone and {record.type for record in pointers} == {"AAAA"}
        return Change(wanted.name, (), (wanted,)) if beside_it else None
    foreign = tuple(record for record in present if not _is_ours(record, wanted, ours))
    in_the_way = tuple(record for record in foreign if not (adopt and is_adoptable(record)))
    if in_the_way:
        return Conflict(wanted, in_the_way)
    return Change(wanted.name, present, (_keeping_ttl(wanted, present), *_over_ipv6(wanted, present)))


def _over_ipv6(wanted: Record, present: Iterable[Record]) -> tuple[Record, ...]:
    """An alias answers for one family of addresses: what there was for IPv6 too leads to the new name too."""
    if not wanted.alias_zone:
        return ()
    return (replace(wanted, type="AAAA"),) if any(one.is_pointer and one.type == "AAAA" for one in present) else ()


def is_adoptable(record: Record) -> bool:
    """Whether `--adopt` may replace it: it answers with names or addresses, and is nobody's routing policy."""
    return record.type in ADDRESS_TYPES and not record.policy


def _is_ours(record: Record, wanted: Record, ours: Ours) -> bool:
    known = {bare(wanted.values[0])}
    return record.is_pointer and not record.policy and all(bare(v) in known or ours(v) for v in record.values)


def _keeping_ttl(wanted: Record, present: Iterable[Record]) -> Record:
    kept = [record.ttl for record in present if record.ttl is not None]
    return wanted if wanted.ttl is None or not kept else replace(wanted, ttl=max(kept))


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


def longest_match(hostname: str, zones: Iterable[str]) -> str:
    """The closest of the zones that holds the name; empty: none does."""
    return max((normal(zone) for zone in zones if is_within(hostname, zone)), key=len, default="")


def is_within(hostname: str, zone: str) -> bool:
    """Whether the name is the zone's apex or below it."""
    return normal(hostname) == normal(zone) or normal(hostname).endswith("." + normal(zone))


class SubmittedInPart(PartlyFailed):
    """Some of a plan's changes were not made; `failures` is by the changes' names, `ticket` is for the others."""

    def __init__(self, failures: Mapping[str, OrchestratorError], ticket: str) -> None:
        super().__init__(failures)
        self.ticket = ticket


def receipt(plan: ZonePlan, failures: Mapping[str, OrchestratorError], ticket: str = "") -> str:
    """The ticket of a plan that was sent. Raises `SubmittedInPart`; of a plan of one change, that one's own error."""
    if failures and len(plan.changes) == 1:
        raise next(iter(failures.values()))
    if failures:
        raise SubmittedInPart(failures, ticket)
    return ticket


def one_by_one(plan: ZonePlan, make: Callable[[Change], object]) -> Mapping[str, OrchestratorError]:
    """Make each change of a provider that knows no batches; the failures, by the changes' names.

    Where it did not answer for two changes in a row (each after all its patience), it is down: the rest is not sent.
    """
    failures: dict[str, OrchestratorError] = {}
    silent: list[Transient] = []
    for change in plan.changes:
        if len(silent) > 1:
            failures[change.name] = silent[-1]
            continue
        try:
            make(change)
            silent = []
        except (Interrupted, Expired):
            raise
        except Transient as error:
            silent.append(error)
            failures[change.name] = error
        except OrchestratorError as error:
            silent = []
            failures[change.name] = error
    return failures


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
