"""The tenant's Vespa instance was stopped."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, instances, meddled, stop_instances


def _stop(console: Console) -> Iterator[Undo]:
    yield stop_instances(console, instances(console))


FAULT = meddled("vespa-stopped", "Vespa's instance is stopped", "Vespa Vector Search Issues", _stop)
