"""Vespa's container runs, its config server answers nobody."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_container, meddled
from orchestrator.local.ssm.tools import containers


def _change(console: Console) -> Iterator[Undo]:
    yield from change_container(console, containers.SILENT)


FAULT = meddled("vespa-unhealthy", "Vespa's config server does not answer", "Vespa Vector Search Issues", _change)
