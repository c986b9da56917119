"""Whether a policy statement's `Condition` holds. Pure.

Knows the operators that a stack's policies use; a condition with another one holds never, so that an Allow under it
allows nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, Sequence[str]]
"""Condition key, in lower case → the request's values for it."""


def _equal(value: str, pattern: str) -> bool:
    return value == pattern


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "Bool": _equal,
    "StringEquals": _equal,
    "StringLike": fnmatchcase,
    "ArnEquals": fnmatchcase,
    "ArnLike": fnmatchcase,
}
_FOR_ALL = "ForAllValues:"


def holds(condition: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Every operator, for every key."""
    return all(
        _one(operator, context.get(key.lower(), ()), [wanted] if isinstance(wanted, str) else list(wanted))
        for operator, keys in condition.items()
        for key, wanted in keys.items()
    )


def _one(operator: str, values: Sequence[str], wanted: Sequence[str]) -> bool:
    """`ForAllValues` holds when there is no value, any other operator doesn't: as IAM has it."""
    match = _OPERATORS.get(operator.removeprefix(_FOR_ALL))
    if match is None:
        return False
    each = [any(match(value, pattern) for pattern in wanted) for value in values]
    return all(each) if operator.startswith(_FOR_ALL) else any(each)
