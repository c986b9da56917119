"""The tenant's rule sends its visitors to another tenant's target group."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _mislead(console: Console) -> Iterator[Undo]:
    group = entrances.another(console)["loadBalancers"][0]["targetGroupArn"]
    yield from entrances.lead(console, {"Type": "forward", "TargetGroupArn": group})


FAULT = meddled("rule-to-another-tenant", "the rule forwards to another tenant", "", _mislead, restarts=False)
