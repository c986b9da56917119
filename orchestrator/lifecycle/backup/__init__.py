"""The steps of a backup, for the one engine. Interrupted anywhere, the next run goes on with the same backup."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.graph import AnyStep, order
from orchestrator.lifecycle.backup import (
    contents_read,
    database_snapshot,
    files_copied,
    index_snapshots,
    place,
    sealed,
    verified,
)
from orchestrator.lifecycle.pause import services_at_zero
from orchestrator.steps import database_server, runner


def steps(*, quiet: bool) -> tuple[AnyStep, ...]:
    """In their order; `quiet`: with the services stopped first."""
    chosen = (
        place.STEP,
        database_server.STEP,
        runner.STEP,
        replace(services_at_zero.STEP, needs=(place.STEP.id,)),
        database_snapshot.STEP,
        index_snapshots.STEP,
        files_copied.STEP,
        contents_read.STEP,
        sealed.STEP,
        verified.STEP,
    )
    return tuple(step for step in order(chosen) if quiet or step.id != services_at_zero.STEP.id)
