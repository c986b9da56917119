"""Quotas: what exceeds a quota is refused when it is created, as on AWS. The rows are in `quota_rows.py`.

An account of many stacks has had its quotas raised: `Cloud.quotas` says how many times. Security groups' rules (60 a
direction) are moto's own. Left out: quotas that a stack's Terraform can't reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

from orchestrator.local.laws import Force, Law, Refusal, Row
from orchestrator.local.laws.quota_rows import ROWS, Quota

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud
    from orchestrator.local.core.wire import AwsCall


@cache
def quotas_of(service: str, operation: str) -> tuple[Quota, ...]:
    """The rows that an operation can meet."""
    return tuple(row for row in ROWS if row.service == service and operation in row.operations)


class QuotaForce(Force):
    """Counts what there is when more is asked for."""

    def __init__(self, times: int) -> None:
        self._times = times

    def refusal(self, call: AwsCall) -> Refusal | None:
        """The quota that the call would exceed."""
        exceeded = (
            row for row in quotas_of(call.service, call.operation) if row.after(call) > row.applied(self._times)
        )
        row = next(exceeded, None)
        return Refusal(row.error, row.words) if row else None


def _begin(cloud: Cloud) -> QuotaForce:
    return QuotaForce(cloud.quotas)


def _rows() -> Sequence[Row]:
    return list(_told())


def _told() -> Iterator[Row]:
    for row in ROWS:
        fixed = "" if row.adjustable else ", and can't be raised"
        yield Row(f"{row.service} {', '.join(sorted(row.operations))}", f"{row.name}: {row.most:,}{fixed}", row.source)


LAW = Law(name="quotas", title="Quotas", order=50, begin=_begin, rows=_rows)
