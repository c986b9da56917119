"""Somebody deploys Onyx 3 with the settings of Onyx 2: of an OpenSearch it is told nothing."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import Definition, backend, change_definition

NEWER = "v3.2.1"


def _newer(container: Definition) -> Definition:
    told = [one for one in container.get("environment", []) if not one["name"].startswith("OPENSEARCH_")]
    secrets = [one for one in container.get("secrets", []) if not one["name"].startswith("OPENSEARCH_")]
    image = f"{container['image'].rpartition(':')[0]}:{NEWER}"
    return {**container, "image": image, "environment": told, "secrets": secrets}


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, backend(_newer))


FAULT = meddled("version-without-index", "Onyx 3 runs without an OpenSearch", "", _change)
