"""What a page shows of a run, from its record alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from orchestrator.engine.journal import RunRecord
from orchestrator.render.report import health
from orchestrator.render.report.health import HealthMap
from orchestrator.stack.contract import Stack

WORKING, WAITING = "working", "waiting"
DONE, FAILED, OPEN = "done", "failed", "open"
_ENDS = {"step-done": DONE, "step-failed": FAILED}
_ROWS = {"step-started", "step-waiting", "change-intended", "change-made", *_ENDS}
COST = "cost-estimate"
"""The code of a finding that is an estimate."""
_SHORTEST = 1.0
"""Seconds that the whole picture spans at least."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a bar, in seconds since the run began; `why` is what was waited for."""

    start: float
    end: float
    kind: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class ReportedChange:
    """A change that was made, or may have been: when it ended (of an open one, when it began), and how."""

    at: float
    what: str
    outcome: str
    step: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One step, for one tenant or for what all share (`subject` empty)."""

    step: str
    subject: str
    state: str
    detail: str
    code: str = ""
    fix: str = ""
    spans: Sequence[Span] = ()
    changes: Sequence[ReportedChange] = ()

    @property
    def seconds(self) -> float:
        """From its beginning to its end."""
        return self.spans[-1].end - self.spans[0].start if self.spans else 0.0

    @property
    def waits(self) -> Sequence[Span]:
        """What it waited for, in its order."""
        return tuple(span for span in self.spans if span.kind == WAITING)


@dataclass(frozen=True, slots=True)
class ReportedFinding:
    """What the doctor found, or the run reported beside its steps."""

    subject: str
    severity: str
    detail: str
    code: str
    cause: str
    fix: str
    root: str = ""
    """The code of the finding that this one follows from; empty: it is a cause."""
    evidence: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run. Times are as recorded (ISO 8601, UTC); `outcome` is a word of `errors.Outcome`, or `unfinished`."""

    run: str
    command: str
    stack: str
    outcome: str
    began: str
    seconds: float
    changed: int
    calls: int
    who: str
    words: str
    rows: Sequence[ReportRow] = ()
    findings: Sequence[ReportedFinding] = ()
    costs: Sequence[ReportedFinding] = ()
    """Estimates that the run made of what the stack costs; their evidence are the parts of the bill."""
    health: HealthMap = field(default_factory=HealthMap)
    timed: bool = False
    """Whether steps were run: a look at what there is has no timeline."""
    garbled: int = 0
    """Lines of the record that can't be read."""
    span: float = field(default=_SHORTEST)
    """Seconds that the picture spans."""

    @property
    def changes(self) -> Sequence[ReportedChange]:
        """All that was changed, or may have been, in its order."""
        return sorted((change for row in self.rows for change in row.changes), key=lambda change: change.at)

    @property
    def dns(self) -> Sequence[ReportRow]:
        """The names: each with what was set and was there before, and what the world is told now."""
        return [row for row in self.rows if row.step == "dns-records" and row.subject]


def of(record: RunRecord, stack: Stack | None = None, tenants: Sequence[str] = ()) -> RunReport:
    """What the record tells, whatever is in it; with the stack, also which links it has that nobody looked at."""
    began = _at(record.began)
    lines = [line for line in record.lines if line.get("step") and line["event"] in _ROWS]
    rows = tuple(_rows(lines, began))
    last = max((_since(began, line) for line in record.lines), default=0.0)
    seconds = record.seconds if record.seconds is not None else last
    header = record.header
    found = [_finding(line) for line in record.lines if line["event"] == "finding-reported"]
    options = header.get("options")
    return RunReport(
        run=record.run,
        command=record.command,
        stack=record.stack,
        outcome=record.outcome,
        began=record.began,
        seconds=seconds,
        changed=record.changed,
        calls=_number(record.end.get("aws_calls")) if record.end else 0,
        who="@".join(filter(None, (_text(header, "user"), _text(header, "host")))),
        words=" ".join(map(str, options)) if isinstance(options, list) else record.command,
        rows=rows,
        findings=tuple(one for one in found if one.code != COST),
        costs=tuple(one for one in found if one.code == COST),
        health=health.of(record.lines, stack, tenants),
        timed=any(line["event"] == "step-started" for line in record.lines),
        garbled=record.garbled,
        span=max(_SHORTEST, seconds, last),
    )


def _rows(lines: Sequence[Mapping[str, Any]], began: datetime | None) -> Iterable[ReportRow]:
    """In the order in which they began. What a step did before it knew its tenants is no row of its own."""
    by_key: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for line in lines:
        by_key.setdefault((_text(line, "step"), _text(line, "subject")), []).append(line)
    starts = {key[0]: _since(began, said[0]) for key, said in by_key.items() if said[0]["event"] == "step-started"}
    for (step, subject), said in by_key.items():
        if not subject and [line["event"] for line in said] == ["step-started"] and _has_tenants(step, by_key):
            continue
        row = _row(step, subject, said, starts.get(step), began)
        yield row if subject or row.state != OPEN else replace(row, state=_state_of_all(step, by_key))


def _state_of_all(step: str, by_key: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]]) -> str:
    """Of a step that said something of all its tenants at once: how it ended for each of them."""
    ends = [
        next((_ENDS[line["event"]] for line in reversed(said) if line["event"] in _ENDS), OPEN)
        for (other, subject), said in by_key.items()
        if other == step and subject
    ]
    return next((state for state in (OPEN, FAILED) if state in ends), DONE if ends else OPEN)


def _has_tenants(step: str, keys: Iterable[tuple[str, str]]) -> bool:
    return any(other == step and subject for other, subject in keys)


def _row(
    step: str, subject: str, said: Sequence[Mapping[str, Any]], start: float | None, began: datetime | None
) -> ReportRow:
    last = next((line for line in reversed(said) if line["event"] in _ENDS), None)
    telling = last or next((line for line in reversed(said) if line["event"] == "step-waiting"), said[-1])
    return ReportRow(
        step=step,
        subject=subject,
        state=_ENDS[last["event"]] if last else OPEN,
        detail=_text(telling, "detail"),
        code=_text(telling, "code"),
        fix=_text(telling, "fix"),
        spans=tuple(_spans(said, start, began)),
        changes=tuple(_changes(said, began)),
    )


def _spans(said: Sequence[Mapping[str, Any]], start: float | None, began: datetime | None) -> Iterable[Span]:
    """From one change of what it does to the next: a change is work, as is everything before the first wait."""
    at = _since(began, said[0]) if start is None else start
    doing = (WORKING, "")
    for line in said:
        now = max(at, _since(began, line))
        if line["event"] in _ENDS:
            yield Span(at, now, *doing)
            return
        next_ = (WAITING, _text(line, "detail")) if line["event"] == "step-waiting" else (WORKING, "")
        if next_ != doing:
            if now > at:
                yield Span(at, now, *doing)
            at, doing = now, next_
    yield Span(at, max(at, _since(began, said[-1])), *doing)


def _changes(said: Sequence[Mapping[str, Any]], began: datetime | None) -> Iterable[ReportedChange]:
    intended: Mapping[str, Any] | None = None
    for line in said:
        if line["event"] == "change-intended":
            intended = line
        elif line["event"] == "change-made":
            told = [_text(intended, "detail") if intended else "", _text(line, "detail")]
            what = ": ".join(dict.fromkeys(filter(None, told)))
            yield ReportedChange(_since(began, line), what, _text(line, "outcome"), *_whose(line))
            intended = None
    if intended is not None:
        yield ReportedChange(_since(began, intended), _text(intended, "detail"), "not known", *_whose(intended))


def _whose(line: Mapping[str, Any]) -> tuple[str, str]:
    return _text(line, "step"), _text(line, "subject")


def _finding(line: Mapping[str, Any]) -> ReportedFinding:
    names = ("subject", "severity", "detail", "code", "cause", "fix", "root")
    said = line.get("evidence")
    evidence = tuple(map(str, said)) if isinstance(said, list | tuple) else ()
    return ReportedFinding(**{name: _text(line, name) for name in names}, evidence=evidence)


def _since(began: datetime | None, line: Mapping[str, Any]) -> float:
    at = _at(_text(line, "time"))
    return max(0.0, (at - began).total_seconds()) if began and at else 0.0


def _at(stamp: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp)
    except (ValueError, OverflowError):
        return None
    return at if at.tzinfo else None


def _text(line: Mapping[str, Any], key: str) -> str:
    value = line.get(key, "")
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
