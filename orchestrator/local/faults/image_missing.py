"""The api's image has a tag that does not exist."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, change_definition, each_container


def _mistype(container: Definition) -> Definition:
    wrong = f"{container['image'].rpartition(':')[0]}:does-not-exist"
    return {**container, "image": wrong} if container["name"] == "api" else container


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, each_container(_mistype))


FAULT = meddled("image-missing", "the api's image does not exist", "ECS Task Troubleshooting", _change, restarts=False)
