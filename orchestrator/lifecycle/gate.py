"""May this stack be destroyed? One pure function over what was typed and what is known of the backup.

The rule: data may be lost only when that was typed out; else there is a good backup that is no older than the data.
What a plan destroys beside the stack's data has the gate of every plan (`consequences.gate`), which is told here what
the backup and the typed words already cover.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from orchestrator.consequences import Consequence, Effect
from orchestrator.errors import Problem
from orchestrator.lifecycle.destroy.others import PREFIX
from orchestrator.stack.contract import Stack


class Drift(Enum):
    """What became of one kind of data since the backup."""

    SAME = "as in the backup"
    CHANGED = "changed since"
    GONE = "no longer there"
    UNKNOWN = "can't be compared"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the person was shown and has typed. Checksums are the plan's: when it was shown, and now."""

    stack: str
    typed: str
    shown: str
    plan: str
    no_backup: bool = False


@dataclass(frozen=True, slots=True)
class KnownBackup:
    """What is known of the backup; the default is that there is none."""

    stack: str = ""
    complete: bool = False
    quiet: bool = False
    defects: tuple[Problem, ...] = ()
    running: bool = True
    """Some service runs, or is to run: it may write at any moment."""
    database: Drift = Drift.UNKNOWN
    files: Drift = Drift.UNKNOWN


def accepted(consequences: Iterable[Consequence], stack: Stack, *, no_backup: bool) -> frozenset[str]:
    """Names of consequences that need no `--allow-loss`.

    The typed name of the stack accepts that its sites go; a backup, or that none was wanted, that its data do. What
    others lose it doesn't.
    """
    outages = {one.name for one in consequences if one.effect is Effect.OUTAGE}
    losses = {one.name for one in consequences if one.effect is Effect.LOSS and not one.name.startswith(PREFIX)}
    held = {f"database:{tenant.database}" for tenant in stack.tenants.values()}
    held |= {one.word for one in stack.indexes}
    held |= {f"bucket:{stack.bucket}"} if stack.bucket else set()
    return frozenset(outages | (losses if no_backup else losses & held))


def phrase(stack: str, *, no_backup: bool) -> str:
    """What must be typed, whole."""
    return f"{stack} without backup" if no_backup else stack


def obstacles(asked: Confirmation, kept: KnownBackup) -> tuple[Problem, ...]:
    """Why not; empty: it may be destroyed."""
    return (*unconfirmed(asked), *(() if asked.no_backup else faults_of(asked.stack, kept)))


def unconfirmed(asked: Confirmation) -> tuple[Problem, ...]:
    """What was typed is not what must be, or is about another plan."""
    wanted = phrase(asked.stack, no_backup=asked.no_backup)
    if asked.typed != wanted:
        message = f"{wanted!r} had to be typed; nothing was destroyed"
        return (Problem("destroy-not-confirmed", message, asked.stack, "type it exactly, or use --confirm"),)
    if not asked.shown or asked.shown != asked.plan:
        message = "the plan is not the one that was shown and confirmed"
        return (Problem("destroy-plan-changed", message, asked.stack, "run the command again"),)
    return ()


def faults_of(stack: str, kept: KnownBackup) -> tuple[Problem, ...]:
    """Why this backup is not enough to destroy the stack."""
    again = "run the command again: it takes another backup"
    if not kept.complete:
        return (Problem("destroy-without-backup", "there is no complete backup of this stack", stack, again),)
    found = list(kept.defects)
    if kept.stack != stack:
        message = f"the backup is of {kept.stack}"
        found.append(Problem("backup-of-another-stack", message, stack, "name this stack's own backup"))
    if not kept.quiet or kept.running:
        message = "services ran during the backup or have been started since: what they write is not in it"
        found.append(Problem("backup-not-quiet", message, stack, again))
    for what, since in (("database", kept.database), ("files", kept.files)):
        if since not in (Drift.SAME, Drift.GONE):
            message = f"the backup is older than the data: the {what} {_are(what)} {since.value}"
            found.append(Problem("backup-older-than-data", message, stack, again))
    return tuple(found)


def _are(what: str) -> str:
    return "are" if what.endswith("s") else "is"
