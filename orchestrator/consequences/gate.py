"""The gate: what has to be named before it may happen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable

from orchestrator.consequences.model import Consequence, Effect
from orchestrator.engine.check import Severity
from orchestrator.errors import Problem, Refused
from orchestrator.stack.blueprint.changes import NOTHING, every_change, invocations_of
from orchestrator.stack.blueprint.resources import Document

CHECKSUM = 12
"""Characters of a fingerprint that are shown and compared."""


def gate(consequences: Iterable[Consequence], allowed: Collection[str], checksum: str = "") -> Refused | None:
    """Refuse data loss and full outages that `allowed` doesn't name; None when everything may happen.

    `allowed` holds names of consequences (`database:onyx_customer_a`), each alone or bound to one plan: `NAME@CHECKSUM`
    counts only when `checksum` (the plan's fingerprint) begins with it, with 12 characters at least. A name that meets
    nothing is no error: what it allows has happened before.
    """
    names = set(filter(None, (_name(one, checksum) for one in allowed)))
    left = [one for one in consequences if one.severity is Severity.BLOCKER and one.name not in names]
    return Refused(*(_problem(one, checksum) for one in left)) if left else None


def fingerprint(plan: Document, consequences: Iterable[Consequence]) -> str:
    """SHA-256 of what a plan does: the same for another plan of the same changes, and for no other.

    The plan file's own checksum differs each time Terraform plans; a permission given in a merge request must hold for
    the plan that is made after it, and for nothing else.
    """
    changes = [
        (one.address, one.actions, one.replace_paths, one.deposed)
        for one in every_change(plan)
        if one.actions != NOTHING
    ]
    actions = [(one.address, one.trigger, one.event) for one in invocations_of(plan)]
    losses = sorted({one.name for one in consequences if one.severity is Severity.BLOCKER})
    said = json.dumps([sorted(map(json.dumps, [*changes, *actions])), losses])
    return hashlib.sha256(said.encode()).hexdigest()


def _name(given: str, checksum: str) -> str:
    name, at, bound = given.rpartition("@")
    if not at:
        return given
    return name if len(bound) >= CHECKSUM and checksum.startswith(bound) else ""


def _problem(one: Consequence, checksum: str) -> Problem:
    bound = f"{one.name}@{checksum[:CHECKSUM]}" if checksum else one.name
    code = "data-loss" if one.effect is Effect.LOSS else "full-outage"
    fix = f"if that is intended: --allow-loss {bound}"
    return Problem(code, f"{one.says} ({one.why})", one.address or one.name, fix)
