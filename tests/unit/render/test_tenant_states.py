"""What stands behind each tenant's name at the end."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.events import Event, FindingReported, RunStarted, StepDone, StepFailed, StepWaiting
from orchestrator.render.tenant_states import STYLES, tenant_states


def done(step: str) -> StepDone:
    return StepDone(step=step, subject="acme")


REST, STOPPED = done("services-at-zero"), done("instances-stopped")


@pytest.mark.parametrize(
    ("command", "events", "state", "step"),
    [
        ("run", [done("dns-records"), done("services"), done("sites")], "up", "sites"),
        ("run", [StepFailed(step="services", subject="acme"), done("sites")], "failed", "services"),
        ("run", [StepWaiting(step="services", subject="acme")], "pending", "services"),
        ("run", [StepWaiting(step="services", subject="acme"), done("services")], "up", "services"),
        ("dns plan", [done("dns-records")], "ok", "dns-records"),
        ("pause", [REST, STOPPED], "paused", "services-at-zero"),
        ("status", [REST, STOPPED], "paused", "services-at-zero"),
        ("status", [REST, FindingReported(step="instances-stopped", subject="acme")], "pending", "instances-stopped"),
        ("backup", [REST, done("services-started")], "ok", "services-started"),
        ("destroy", [REST, done("bucket-emptied")], "ok", "bucket-emptied"),
    ],
)
def test_the_state_of_a_tenant(command: str, events: Sequence[Event], state: str, step: str) -> None:
    (seen,) = tenant_states([RunStarted(command=command), *events])
    assert (seen.tenant, seen.state, seen.event.step) == ("acme", state, step)
    assert state in STYLES
