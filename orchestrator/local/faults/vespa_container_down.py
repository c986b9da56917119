"""Vespa's container stopped on the tenant's instance (`docker stop vespa`)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_container, meddled
from orchestrator.local.ssm.tools import containers


def _change(console: Console) -> Iterator[Undo]:
    yield from change_container(console, containers.EXITED)


FAULT = meddled("vespa-container-down", "Vespa's container is stopped", "Vespa Vector Search Issues", _change)
