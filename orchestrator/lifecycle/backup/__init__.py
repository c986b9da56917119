"""The steps of a backup, for the one engine. Interrupted anywhere, the next run goes on with the same backup.

Services are stopped as a pause stops them: remembered on themselves, their autoscaling suspended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import STACK, Done, Subject, Todo, Verdict
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
from orchestrator.lifecycle.pause import services_at_zero
from orchestrator.lifecycle.resume import pause_forgotten, services_started
from orchestrator.pauses import TAG, Memory
from orchestrator.steps import database_server, runner


def _of_ours(step: AnyStep, needs: str) -> AnyStep:
    """A step of a resume, for what the backup has stopped; what somebody had paused before it stays so."""

    def decide(facts: Any) -> Mapping[Subject, Verdict]:
        return {who: _unless_paused(facts, who, verdict) for who, verdict in step.decide(facts).items()}

    return replace(step, decide=decide, needs=(needs,))


def _unless_paused(facts: Any, who: Subject, verdict: Verdict) -> Verdict:
    if not isinstance(verdict, Todo):
        return verdict
    if who == STACK:
        return Done("the database server stays as it was before the backup")
    name = facts.names[who]
    known = Memory.parse(facts.counts[name].tags.get(TAG, ""))
    if known is None or known.stamp.for_backup:
        return verdict
    return Done(f"{name} was paused before the backup, by {known.stamp.by}: it stays so")


QUIET: tuple[AnyStep, ...] = (
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
"""With the services stopped first, and left so: everything is of one instant."""
STOPPED: tuple[AnyStep, ...] = (
    *QUIET,
    _of_ours(services_started.STEP, verified.STEP.id),
    _of_ours(pause_forgotten.STEP, services_started.STEP.id),
)
"""The same, and the services run again afterwards."""
LIVE: tuple[AnyStep, ...] = tuple(step for step in QUIET if step.id != services_at_zero.STEP.id)


def steps_of(manifest: Manifest) -> tuple[AnyStep, ...]:
    """By what it is for."""
    if not manifest.quiet:
        return LIVE
    return QUIET if manifest.purpose == "destroy" else STOPPED
