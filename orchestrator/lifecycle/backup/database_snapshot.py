"""`database-snapshot`: RDS has a snapshot of the database server, available and encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.tools import Tools


@dataclass(frozen=True, slots=True)
class Facts:
    """The snapshot of this backup's name."""

    snapshot: DbSnapshot


def name_of(manifest: Manifest) -> str:
    """Made of the stack and the backup's id: the same again after a crash, so it is taken once."""
    return f"{manifest.stack}-{manifest.id}"


def observe(tools: Tools) -> Facts:
    """One call."""
    return Facts(tools.snapshots.find(name_of(tools.manifest)))


def decide(facts: Facts) -> Verdicts:
    """Take it, wait for it, or say why it can't be used."""
    return {STACK: _verdict(facts.snapshot)}


def _verdict(snapshot: DbSnapshot) -> Verdict:
    if not snapshot.status:
        return Todo(f"take the snapshot {snapshot.name}", snapshot.name)
    if snapshot.status == "creating":
        fix = "see the instance's events in RDS; run the command again to go on waiting for the same snapshot"
        text = f"{snapshot.name} is being taken ({snapshot.progress} %)"
        return Wait(text, "database-snapshot-not-available", fix, progress=str(snapshot.progress))
    if snapshot.status != "available":
        fix = f"aws rds delete-db-snapshot --db-snapshot-identifier {snapshot.name}, then run the command again"
        message = f"the snapshot {snapshot.name} is {snapshot.status}"
        return Blocked(Problem("database-snapshot-failed", message, snapshot.name, fix))
    kind = "encrypted" if snapshot.encrypted else "NOT encrypted, as its instance"
    return Done(f"{snapshot.name}: {snapshot.size} GiB, {kind}")


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """Begin it."""
    tools.snapshots.take(tools.stack.database.instance, name_of(tools.manifest), tools.tags)


STEP: Step[Tools, Facts] = Step(
    id="database-snapshot",
    title="the database server has a snapshot",
    observe=observe,
    decide=decide,
    apply=apply,
    needs=("backup-place", "services-at-zero", "database-server"),
    whole=True,
    timeout=3600,
    poll=10,
)
