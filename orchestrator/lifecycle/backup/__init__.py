"""The steps of a backup, for the one engine. Interrupted anywhere, the next run goes on with the same backup.

Services are stopped as a pause stops them: remembered on themselves, their autoscaling suspended. Of a stack that is
paused as a whole, what a backup reads from is started, and stopped again unless the stack is about to be destroyed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from orchestrator.engine.graph import AnyStep
from orchestrator.engine.step import STACK, Done, Subject, Todo, Verdict
from orchestrator.lifecycle.backup import (
    contents_read,
    database_snapshot,
    databases_dumped,
    files_copied,
    index_snapshots,
    place,
    sealed,
    verified,
)
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.pause import database_stopped, instances_stopped, services_at_zero
from orchestrator.lifecycle.pause_tags import TAG, PausedService
from orchestrator.lifecycle.resume import database_started, instances_started, pause_forgotten, services_started
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
    known = PausedService.parse(facts.counts[name].tags.get(TAG, ""))
    if known is None or known.stamp.for_backup:
        return verdict
    return Done(f"{name} was paused before the backup, by {known.stamp.by}: it stays paused")


QUIET: tuple[AnyStep, ...] = (
    place.STEP,
    database_server.STEP,
    runner.STEP,
    replace(services_at_zero.STEP, needs=(place.STEP.id,)),
    database_snapshot.STEP,
    *index_snapshots.STEPS,
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


_AWAKE_FIRST: Mapping[str, str] = {
    database_server.STEP.id: database_started.STEP.id,
    runner.STEP.id: instances_started.STEP.id,
    **{one.id: instances_started.STEP.id for one in index_snapshots.STEPS},
}
"""What needs the database server or an instance that a pause has stopped."""


def _woken(steps: Sequence[AnyStep]) -> tuple[AnyStep, ...]:
    """With that started first; services stay at 0."""
    waiting = (
        replace(step, needs=(*step.needs, _AWAKE_FIRST[step.id])) if step.id in _AWAKE_FIRST else step for step in steps
    )
    return (database_started.STEP, instances_started.STEP, *waiting)


PAUSED_AND_DESTROYED: tuple[AnyStep, ...] = _woken(QUIET)
"""Of a stack that is paused as a whole, and about to be destroyed."""
PAUSED: tuple[AnyStep, ...] = (
    *_woken(STOPPED),
    replace(database_stopped.STEP, needs=(pause_forgotten.STEP.id,)),
    replace(instances_stopped.STEP, needs=(pause_forgotten.STEP.id,)),
)
"""Of one that goes on being paused."""


def steps_of(manifest: Manifest, *, paused: bool = False) -> tuple[AnyStep, ...]:
    """By what it is for, and whether the whole stack is paused."""
    if not manifest.quiet:
        return LIVE
    if manifest.purpose == "destroy":
        chosen = PAUSED_AND_DESTROYED if paused else QUIET
    else:
        chosen = PAUSED if paused else STOPPED
    return chosen if manifest.dumps is None else _dumped(chosen)


def _dumped(steps: Sequence[AnyStep]) -> tuple[AnyStep, ...]:
    """With each database as a file, before the manifest is complete."""
    at = next(number for number, step in enumerate(steps) if step.id == sealed.STEP.id)
    waiting = replace(steps[at], needs=(*steps[at].needs, databases_dumped.STEP.id))
    return (*steps[:at], databases_dumped.STEP, waiting, *steps[at + 1 :])
