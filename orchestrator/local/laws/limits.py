"""Limits of one call: lists, texts and sums beyond AWS's limit are refused as on AWS.

The rows are in `limit_rows.py`. What botocore's models say of a single argument (its length, its format) is checked by
the law of parameter validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from orchestrator.local.laws import Force, Law, Refusal, Row
from orchestrator.local.laws.limit_rows import ROWS, Limit

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall


def broken(limits: Sequence[Limit], parameters: Mapping[str, object]) -> Refusal | None:
    """The first limit that the parameters break."""
    for limit in limits:
        number = limit.measure(parameters)
        if number is not None and not (limit.least <= number <= limit.most):
            return Refusal(limit.code, limit.words.format(number=number, most=limit.most, least=limit.least))
    return None


def limits_of(service: str, operation: str) -> Sequence[Limit]:
    """The rows that are about this operation."""
    return [*_BY_OPERATION.get((service, operation), ()), *_BY_OPERATION.get((service, "*"), ())]


class LimitForce(Force):
    """Looks at every call's arguments."""

    def refusal(self, call: AwsCall) -> Refusal | None:
        """The limit that it breaks."""
        return broken(limits_of(call.service, call.operation), call.parameters)


def _by_operation() -> Mapping[tuple[str, str], Sequence[Limit]]:
    found: dict[tuple[str, str], list[Limit]] = {}
    for row in ROWS:
        for operation in row.operations:
            found.setdefault((row.service, operation), []).append(row)
    return found


_BY_OPERATION = _by_operation()


def _begin(_cloud: Cloud) -> LimitForce:
    return LimitForce()


def _rows() -> Sequence[Row]:
    return [Row(f"{row.service} {_operations(row)}", f"{row.what}: {_range(row)}", row.source) for row in ROWS]


def _operations(row: Limit) -> str:
    return "(every operation)" if "*" in row.operations else ", ".join(sorted(row.operations))


def _range(row: Limit) -> str:
    if not row.most:
        return "not together"
    return f"{row.least:,} to {row.most:,}" if row.least else f"at most {row.most:,}"


LAW = Law(name="limits", title="Limits of one call", order=30, begin=_begin, rows=_rows)
