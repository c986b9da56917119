"""Vespa's container was removed (`docker rm -f vespa`)."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_container, meddled
from orchestrator.local.ssm.tools import containers


def _change(console: Console) -> Iterator[Undo]:
    yield from change_container(console, containers.ABSENT)


FAULT = meddled("vespa-container-missing", "there is no Vespa container", "Vespa Vector Search Issues", _change)
