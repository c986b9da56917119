"""How large an argument is: functions of a call's parameters, for the rows of limits. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from math import ceil
from typing import Any

import jmespath

Parameters = Mapping[str, Any]
Measure = Callable[[Parameters], int | None]
"""None: the argument is not there."""


def items(path: str) -> Measure:
    """The number of elements (of a text: characters) at this path (JMESPath)."""
    find = jmespath.compile(path)
    return lambda parameters: len(find.search(parameters) or ())


def together(*paths: str) -> Measure:
    """1 when there is something at each of the paths, else 0."""
    found = [jmespath.compile(path) for path in paths]
    return lambda parameters: int(all(one.search(parameters) for one in found))


def longest(path: str) -> Measure:
    """Of several lists or texts at this path, the size of the greatest."""
    find = jmespath.compile(path)
    return lambda parameters: max((len(one or ()) for one in find.search(parameters) or ()), default=0)


def number(path: str) -> Measure:
    """The number at this path."""
    find = jmespath.compile(path)

    def measure(parameters: Parameters) -> int | None:
        found = find.search(parameters)
        return None if found is None else int(found)

    return measure


def octets(path: str) -> Measure:
    """The bytes of the text at this path, in UTF-8."""
    find = jmespath.compile(path)

    def measure(parameters: Parameters) -> int:
        found = find.search(parameters) or b""
        return len(found.encode() if isinstance(found, str) else found)

    return measure


def json_octets(path: str = "@") -> Measure:
    """The bytes of the value at this path, written as JSON."""
    find = jmespath.compile(path)

    def measure(parameters: Parameters) -> int:
        found = find.search(parameters)
        return len(json.dumps(found, ensure_ascii=False, separators=(",", ":"), default=str).encode()) if found else 0

    return measure


def datapoints(parameters: Parameters) -> int:
    """What GetMetricStatistics would have to answer."""
    seconds = (parameters["EndTime"] - parameters["StartTime"]).total_seconds()
    return ceil(float(seconds) / max(1, int(parameters["Period"])))


def condition_values(parameters: Parameters) -> int:
    """Values of a listener rule's conditions, given in the older way or in the newer one."""
    found = 0
    for condition in parameters.get("Conditions") or ():
        newer = [one for one in condition.values() if isinstance(one, Mapping)]
        found += sum(len(one.get("Values") or ()) for one in newer) or len(condition.get("Values") or ())
    return found


def record_elements(parameters: Parameters) -> int:
    """ResourceRecord elements of a change batch; an alias is one."""
    return sum(
        _weight(change) * max(1, len(change.get("ResourceRecordSet", {}).get("ResourceRecords") or ()))
        for change in _changes(parameters)
    )


def record_characters(parameters: Parameters) -> int:
    """Characters in the values of a change batch."""
    return sum(
        _weight(change)
        * sum(len(one.get("Value", "")) for one in change.get("ResourceRecordSet", {}).get("ResourceRecords") or ())
        for change in _changes(parameters)
    )


def _weight(change: Parameters) -> int:
    """An UPSERT counts twice."""
    return 2 if change.get("Action") == "UPSERT" else 1


def _changes(parameters: Parameters) -> Iterable[Parameters]:
    return (parameters.get("ChangeBatch") or {}).get("Changes") or ()
