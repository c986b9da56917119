"""Images have no fixed tag."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, change_definition, each_container


def _loosen(container: Definition) -> Definition:
    return {**container, "image": f"{container['image'].rpartition(':')[0]}:latest"}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, each_container(_loosen))


FAULT = meddled("latest-image", "images are :latest", "Prevention Checklist", _change, restarts=False)
