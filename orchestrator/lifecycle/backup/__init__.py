"""The steps of a backup, for the one engine. Interrupted anywhere, the next run goes on with the same backup."""

from __future__ import annotations

from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle import counts_returned, services_stopped
from orchestrator.lifecycle.backup import (
    contents_read,
    database_snapshot,
    files_copied,
    index_snapshots,
    place,
    sealed,
    verified,
)
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.steps import database_server, runner

QUIET: tuple[AnyStep, ...] = (
    place.STEP,
    database_server.STEP,
    runner.STEP,
    services_stopped.STEP,
    database_snapshot.STEP,
    index_snapshots.STEP,
    files_copied.STEP,
    contents_read.STEP,
    sealed.STEP,
    verified.STEP,
)
"""With the services stopped first, and left so: everything is of one instant."""
STOPPED: tuple[AnyStep, ...] = (*QUIET, counts_returned.STEP)
"""The same, and the services run again afterwards."""
LIVE: tuple[AnyStep, ...] = tuple(step for step in QUIET if step is not services_stopped.STEP)


def steps_of(manifest: Manifest) -> tuple[AnyStep, ...]:
    """By what it is for."""
    if not manifest.quiet:
        return LIVE
    return QUIET if manifest.purpose == "destroy" else STOPPED
