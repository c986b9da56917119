"""How a backup's data get into a stack: born from snapshots, or loaded from dumps where Terraform can't. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import Manifest
from orchestrator.stack.indexes import KINDS, OPENSEARCH, VESPA

DATABASE = "postgres_snapshot"
INDEXES = {VESPA: "vespa_snapshots", OPENSEARCH: "opensearch_snapshots"}
"""With the one before: the variables of the root module that take the snapshots to begin with, of indexes by kind."""


@dataclass(frozen=True, slots=True)
class RestoreMethod:
    """`variables` are for Terraform. `loads`: the databases come from dumps. Indexes of these kinds come back."""

    variables: tuple[str, ...] = ()
    loads: bool = False
    indexes: frozenset[str] = frozenset(KINDS)


def way_of(manifest: Manifest, declares: Callable[[str], bool]) -> RestoreMethod | Problem:
    """By what the root module declares; a Problem where there is no way."""
    given = []
    indexes = frozenset(kind for kind, variable in INDEXES.items() if declares(variable))
    for kind, parts in manifest.indexes_by_kind.items():
        if kind in indexes and (parts or kind == VESPA):
            found = {name: part.snapshot for name, part in parts.items()}
            given.append(f"{INDEXES[kind]}={json.dumps(found)}")
    if manifest.database and declares(DATABASE):
        given.append(f"{DATABASE}={manifest.database.snapshot}")
    elif manifest.dumps is not None:
        return RestoreMethod(tuple(given), loads=True, indexes=indexes)
    elif manifest.database:
        message = f"the configuration has no variable {DATABASE}, and backup {manifest.id} has no dumps"
        fix = "give it the variable (docs/how-to/back-up-destroy-restore.md); or back up with --dump, and restore that"
        return Problem("restore-without-way", message, manifest.place, fix)
    return RestoreMethod(tuple(given), indexes=indexes)
