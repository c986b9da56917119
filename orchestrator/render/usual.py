"""How long steps usually take, from the records of earlier runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from statistics import median

from orchestrator.engine.journal import RunRecord
from orchestrator.errors import Outcome

MANY = 5
"""Runs that are looked at, the newest."""


def usual_seconds(records: Iterable[RunRecord], command: str) -> Mapping[str, float]:
    """Step → the median of its seconds, over the newest runs of this command that succeeded and changed something.

    A run that found everything done tells nothing about one that has work to do.
    """
    succeeded = (one for one in records if (one.command, one.outcome) == (command, Outcome.SUCCEEDED.word))
    seen: dict[str, list[float]] = {}
    for record in islice((one for one in succeeded if one.changed), MANY):
        for step, seconds in _spans(record):
            seen.setdefault(step, []).append(seconds)
    return {step: median(all_) for step, all_ in seen.items()}


def _spans(record: RunRecord) -> Iterator[tuple[str, float]]:
    began: dict[str, datetime] = {}
    ended: dict[str, datetime] = {}
    for line in record.lines:
        step, at = line.get("step"), _at(line.get("time"))
        if not isinstance(step, str) or at is None:
            continue
        if line["event"] == "step-started":
            began.setdefault(step, at)
        elif line["event"] == "step-done":
            ended[step] = at
    for step, start in began.items():
        if step in ended:
            yield step, max(0.0, (ended[step] - start).total_seconds())


def _at(stamp: object) -> datetime | None:
    try:
        at = datetime.fromisoformat(stamp) if isinstance(stamp, str) else None
    except ValueError:
        return None
    return at if at is not None and at.tzinfo else None
