"""The tasks' security group lets nothing out: no image, no secret, no database."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, close_out, meddled


def _close(console: Console) -> Iterator[Undo]:
    networks = [one["networkConfiguration"]["awsvpcConfiguration"] for one in console.services()]
    yield from close_out(console, sorted({group for one in networks for group in one["securityGroups"]}))


FAULT = meddled(
    "tasks-locked-in", "the tasks' security group lets nothing out", "Database Issues", _close, per_tenant=False
)
