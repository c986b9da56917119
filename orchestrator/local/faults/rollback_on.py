"""The circuit breaker goes back to an older version by itself."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled

BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_service(console, deploymentConfiguration=BREAKER)


FAULT = meddled("rollback-on", "failed rollouts are rolled back", "Prevention Checklist", _change, restarts=False)
