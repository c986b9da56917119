"""`database-snapshot`: RDS has a snapshot of the database server, available and encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.aws.snapshots import DbSnapshot
from orchestrator.engine.step import STACK, Blocked, Done, Step, Subject, Todo, Verdict, Verdicts, Wait
from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.tools import Tools

DUMP = "add --dump --stop-services: each tenant's database is then in the backup as a file"


@dataclass(frozen=True, slots=True)
class DatabaseSnapshotFacts:
    """The snapshot of this backup's name. `foreign`: why the server isn't the stack's own; `dumped`: it is dumped."""

    snapshot: DbSnapshot
    foreign: str = ""
    dumped: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    """Those that this backup's snapshot bears."""


def name_of(manifest: Manifest) -> str:
    """Made of the stack and the backup's id: the same again after a crash, so it is taken once."""
    return f"{manifest.stack}-{manifest.id}"


def observe(tools: Tools) -> DatabaseSnapshotFacts:
    """Two calls."""
    found = tools.snapshots.find(name_of(tools.manifest))
    return DatabaseSnapshotFacts(found, objection(tools), tools.manifest.dumps is not None, tools.tags)


def objection(tools: Tools) -> str:
    """Why no snapshot is taken of the server: it isn't the stack's own, so everybody else's data are in it too."""
    stack = tools.stack
    server = tools.rds.server(stack.database.server)
    if stack.database.elsewhere:
        return "it isn't RDS's"
    return stack.ownership.objection(*stack.database.part, stack.stack, server.tags)


def decide(facts: DatabaseSnapshotFacts) -> Verdicts:
    """Take it, wait for it, or say why it can't be used."""
    return {STACK: _verdict(facts)}


def _verdict(facts: DatabaseSnapshotFacts) -> Verdict:
    snapshot = facts.snapshot
    if facts.foreign and facts.dumped:
        return Done(f"no snapshot of a server with others' data: the databases are dumped ({facts.foreign})")
    if facts.foreign:
        message = f"no snapshot is taken of a server that isn't this stack's: {facts.foreign}"
        return Blocked(Problem("backup-of-foreign-server", message, "", DUMP), refused=True)
    if snapshot.status and any(snapshot.tags.get(key) != it for key, it in facts.tags.items()):
        message = f"the snapshot {snapshot.name} exists, but this backup did not take it"
        fix = "run the command again: it starts another backup, with another id"
        return Blocked(Problem("database-snapshot-foreign", message, snapshot.name, fix))
    if not snapshot.status:
        return Todo(f"take the snapshot {snapshot.name}", snapshot.name)
    if snapshot.status == "creating":
        fix = "see the instance's events in RDS; run the command again to keep waiting for the same snapshot"
        text = f"{snapshot.name} is being taken ({snapshot.progress} %)"
        return Wait(text, "database-snapshot-not-available", fix, progress=str(snapshot.progress))
    if snapshot.status != "available":
        noun = "db-cluster-snapshot" if ":cluster-snapshot:" in snapshot.arn else "db-snapshot"
        fix = f"aws rds delete-{noun} --{noun}-identifier {snapshot.name}, then run the command again"
        message = f"the snapshot {snapshot.name} is {snapshot.status}"
        return Blocked(Problem("database-snapshot-failed", message, snapshot.name, fix))
    kind = "encrypted" if snapshot.encrypted else "NOT encrypted, like its instance"
    return Done(f"{snapshot.name}: {snapshot.size} GiB, {kind}")


def apply(tools: Tools, _todos: Mapping[Subject, Todo]) -> None:
    """Begin it."""
    tools.snapshots.take(tools.stack.database.server, name_of(tools.manifest), tools.tags)


STEP: Step[Tools, DatabaseSnapshotFacts] = Step(
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
