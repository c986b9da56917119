"""How a backup's data get into a stack: born from snapshots, or loaded from dumps where Terraform can't. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.errors import Problem
from orchestrator.lifecycle.manifest import Manifest

DATABASE, INDEXES = "postgres_snapshot", "vespa_snapshots"
"""Variables of the root module that take the snapshots to begin with."""


@dataclass(frozen=True, slots=True)
class RestoreMethod:
    """`variables` are for Terraform. `loads`: the databases come from dumps. `indexes`: the indexes come back."""

    variables: tuple[str, ...] = ()
    loads: bool = False
    indexes: bool = True


def way_of(manifest: Manifest, declares: Callable[[str], bool]) -> RestoreMethod | Problem:
    """By what the root module declares; a Problem where there is no way."""
    given = []
    if indexes := declares(INDEXES):
        found = {name: part.snapshot for name, part in manifest.index.items()}
        given.append(f"{INDEXES}={json.dumps(found)}")
    if manifest.database and declares(DATABASE):
        given.append(f"{DATABASE}={manifest.database.snapshot}")
    elif manifest.dumps is not None:
        return RestoreMethod(tuple(given), loads=True, indexes=indexes)
    elif manifest.database:
        message = f"the configuration has no variable {DATABASE}, and backup {manifest.id} has no dumps"
        fix = "give it the variable (docs/how-to/back-up-destroy-restore.md); or back up with --dump, and restore that"
        return Problem("restore-without-way", message, manifest.place, fix)
    return RestoreMethod(tuple(given), indexes=indexes)
