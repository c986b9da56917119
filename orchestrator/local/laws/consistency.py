"""Eventual consistency: for a while after a change, reads show the state before it, or don't show what is new.

This lasts up to five of AWS's seconds, and for the next one to three reads in any case, both chosen by the cloud's
seed; never longer than five real seconds, as on AWS. Once the current state has been shown, it stays so. Terraform's
provider and a test's oracle always read the current state, and what they change is visible at once; so is everything
when a fault starts or ends. Route 53 has its own delays. Not in force in clouds that are started with
`--no-late`. Left out: a filter matches the current state, although the old one is then shown.
"""

from __future__ import annotations

import copy
import random
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import jmespath

from orchestrator.local.core import wire
from orchestrator.local.core.wire import AwsCall, HttpAnswer, answer_of, refusal_of, result_of
from orchestrator.local.laws import Ask, Force, Law, Row
from orchestrator.local.laws.consistency_kinds import ConsistencyKind, Document, Reading
from orchestrator.local.laws.consistency_rows import ROWS

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

LONGEST = 5.0
"""Seconds of AWS's clock."""
MOST_READS = 3
ERROR, UNKNOWN = 300, 500
"""HTTP statuses from which on an answer is an error, or none of AWS's."""
Thing = tuple[ConsistencyKind, str]
Forms = Mapping[Reading, Document | str | None]
"""How a thing was, by reading; None: it was not there. Readings that could not be made are not in it."""


@dataclass(slots=True)
class EarlierState:
    """What is shown of a thing that was changed. Times are monotonic; a thing that is new has no forms at all."""

    forms: Forms
    until: float
    reads: int
    latest: float
    faults: frozenset[tuple[str, str]]

    def over(self, now: float, faults: frozenset[tuple[str, str]]) -> bool:
        """Whether the truth is shown from now on."""
        late = now < self.until or (self.reads > 0 and now < self.latest)
        return not late or faults != self.faults

    def differs(self, reading: Reading) -> bool:
        """Whether the reading shows anything but the truth. What only lists ids knows no old form."""
        existed = any(form is not None for form in self.forms.values())
        return not existed if reading.ask is None else reading in self.forms or not self.forms


class EventualConsistency(Force):
    """Remembers what was changed just now, and how it was."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self._old: dict[tuple[str, str, str], EarlierState] = {}
        self._random = random.Random(cloud.seed)

    def concerns(self, call: AwsCall) -> bool:
        """Changes, by whomever; reads only while there is something old to show."""
        if not self._cloud.late:
            return False
        exempt = _is_exempt(call)
        if changing(call.service, call.operation):
            return bool(self._old) or not exempt
        return bool(self._old) and not exempt and bool(showing(call.service, call.operation))

    def answer(self, call: AwsCall, ask: Ask) -> HttpAnswer:
        """A change passes, and what was before it is kept; a read shows what was kept."""
        if kinds := changing(call.service, call.operation):
            return self._change(kinds, call, ask)
        answer = ask(call)
        for kind, reading in showing(call.service, call.operation):
            answer = self._read(kind, reading, call, answer)
        return answer

    def _change(self, kinds: Sequence[ConsistencyKind], call: AwsCall, ask: Ask) -> HttpAnswer:
        things = [thing for kind in kinds for thing in _named(kind, call)]
        if _is_exempt(call):
            self._forget(things)
            return ask(call)
        before: dict[Thing, Forms] = {thing: _forms(thing, call, ask) for thing in things}
        answer = ask(call)
        if answer.status < ERROR:
            made: dict[Thing, Forms] = {thing: {} for kind in kinds for thing in _made(kind, call, answer)}
            self._remember(before | made)
        return answer

    def _forget(self, things: Iterable[Thing]) -> None:
        with self._lock:
            for kind, one in things:
                self._old.pop((kind.service, kind.name, one), None)

    def _remember(self, before: Mapping[Thing, Forms]) -> None:
        now, faults = self._cloud.pace.monotonic(), self._cloud.faults.all()
        latest = now + self._cloud.late
        with self._lock:
            for (kind, one), forms in before.items():
                until = min(latest, now + self._cloud.pace.scaled(self._random.uniform(0, LONGEST)))
                reads = self._random.randint(1, MOST_READS)
                self._old[kind.service, kind.name, one] = EarlierState(forms, until, reads, latest, faults)

    def _read(self, kind: ConsistencyKind, reading: Reading, call: AwsCall, answer: HttpAnswer) -> HttpAnswer:
        asked = {kind.identify(said, call.parameters): said for said in _texts(reading.names, call.parameters)}
        late = self._late(kind, reading)
        if asked:
            late = {one: form for one, form in late.items() if one in asked}
        if not late:
            return answer
        if not reading.items:
            self._shown(kind, late)
            return _old_answer(reading, call, answer, *next(iter(late.items())))
        result = result_of(call, answer) if answer.status < ERROR else {}
        met = _put_back(kind, reading, call, result, late=late, asked=asked)
        self._shown(kind, met)
        lacking = [said for one, said in asked.items() if one in late and late[one] is None]
        if lacking and reading.missing:
            return refusal_of(call, reading.missing, f"{lacking[0]} does not exist.")
        for said in lacking:
            if reading.lacks:
                reading.lacks(result, said)
        return answer_of(call, result, _good(answer)) if met else answer

    def _late(self, kind: ConsistencyKind, reading: Reading) -> dict[str, Any]:
        """Id → its old form, of everything of the kind that the reading does not show as it is."""
        now, faults = self._cloud.pace.monotonic(), self._cloud.faults.all()
        with self._lock:
            self._old = {key: old for key, old in self._old.items() if not old.over(now, faults)}
            return {
                one: copy.deepcopy(old.forms.get(reading))
                for (service, name, one), old in self._old.items()
                if (service, name) == (kind.service, kind.name) and old.differs(reading)
            }

    def _shown(self, kind: ConsistencyKind, ones: Iterable[str]) -> None:
        with self._lock:
            for one in ones:
                if old := self._old.get((kind.service, kind.name, one)):
                    old.reads -= 1


def _is_exempt(call: AwsCall) -> bool:
    return call.of_observer or call.of_terraform


@cache
def changing(service: str, operation: str) -> tuple[ConsistencyKind, ...]:
    """The kinds of things that an operation changes or makes."""
    of_service = (kind for kind in ROWS if kind.service == service)
    return tuple(kind for kind in of_service if operation in kind.changes or operation in kind.makes)


@cache
def showing(service: str, operation: str) -> tuple[tuple[ConsistencyKind, Reading], ...]:
    """The kinds of things that an operation shows."""
    return tuple(
        (kind, reading)
        for kind in ROWS
        for reading in kind.readings
        if reading.operation == operation and (reading.service or kind.service) == service
    )


def _texts(path: str, document: Mapping[str, Any]) -> list[str]:
    """The texts at a path: one, several, none."""
    found = jmespath.search(path, document) if path else None
    return [str(one) for one in (found if isinstance(found, list) else [found]) if one]


def _named(kind: ConsistencyKind, call: AwsCall) -> Iterator[Thing]:
    for said in _texts(kind.changes.get(call.operation, ""), call.parameters):
        if one := kind.identify(said, call.parameters):
            yield kind, one


def _made(kind: ConsistencyKind, call: AwsCall, answer: HttpAnswer) -> Iterator[Thing]:
    if path := kind.makes.get(call.operation, ""):
        for said in _texts(path, result_of(call, answer)):
            yield kind, kind.identify(said, call.parameters)


def _forms(thing: Thing, call: AwsCall, ask: Ask) -> Forms:
    """The thing as it is now, by each reading that can be made."""
    kind, one = thing
    forms: dict[Reading, Document | str | None] = {}
    for reading in kind.readings:
        if reading.ask is None:
            continue
        asked = wire.other(call, reading.service or kind.service, reading.operation, reading.ask(one, call.region))
        answer = ask(asked)
        if answer.status < ERROR:
            forms[reading] = _form(kind, reading, asked, one, result_of(asked, answer))
        elif answer.status < UNKNOWN:
            forms[reading] = None
    return forms


def _form(kind: ConsistencyKind, reading: Reading, call: AwsCall, one: str, result: Document) -> Any:
    if not reading.items:
        return result
    items = (item for items in _lists(result, reading.items) for item in items)
    return next((item for item in items if _identity(kind, reading, call, item) == one), None)


def _identity(kind: ConsistencyKind, reading: Reading, call: AwsCall, item: Any) -> str:
    return kind.identify(str(jmespath.search(reading.key, item)), call.parameters)


def _lists(result: Document, path: str) -> Iterator[list[Any]]:
    """The lists at a path such as `a` or `a[].b`: those of the result itself, to be changed in place."""
    outer, _, inner = path.partition("[].")
    found = result.setdefault(outer, [])
    if not inner:
        yield found
    else:
        yield from (one.setdefault(inner, []) for one in found)


def _put_back(
    kind: ConsistencyKind,
    reading: Reading,
    call: AwsCall,
    result: Document,
    *,
    late: Mapping[str, Any],
    asked: Mapping[str, str],
) -> set[str]:
    """Each late item as it was, out of the list if it was not there, in it if it is gone. Returns those met."""
    met: set[str] = set()
    for items in _lists(result, reading.items):
        shown = [(_identity(kind, reading, call, item), item) for item in items]
        met |= late.keys() & {one for one, _ in shown}
        items[:] = [late.get(one, item) for one, item in shown if late.get(one, item) is not None]
    gone = [one for one in asked if one in late and one not in met]
    if "[]." not in reading.items:
        result.setdefault(reading.items, []).extend(late[one] for one in gone if late[one] is not None)
    return met | set(gone)


def _old_answer(reading: Reading, call: AwsCall, answer: HttpAnswer, one: str, form: Any) -> HttpAnswer:
    """The whole answer is about one thing."""
    if form is not None:
        if reading.narrow:
            reading.narrow(form, call.parameters)
        return answer_of(call, form, _good(answer))
    return refusal_of(call, reading.missing, f"{one} does not exist.") if reading.missing else answer


def _good(answer: HttpAnswer) -> HttpAnswer:
    return answer if answer.status < ERROR else HttpAnswer(200, {}, b"")


def _rows() -> Sequence[Row]:
    return [
        Row(
            f"{kind.service} {kind.name}",
            f"late after {', '.join(sorted({*kind.changes, *kind.makes}))} in "
            f"{', '.join(reading.operation for reading in kind.readings)}",
            kind.source,
        )
        for kind in ROWS
    ]


LAW = Law(
    name="consistency",
    title="Eventual consistency: reads that miss a change",
    order=90,
    begin=EventualConsistency,
    rows=_rows,
)
