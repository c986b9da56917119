"""user_data could not pull Vespa's image: there is neither image nor container."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_container, meddled
from orchestrator.local.ssm.tools import containers


def _change(console: Console) -> Iterator[Undo]:
    yield from change_container(console, containers.UNPULLED)


FAULT = meddled("vespa-image-missing", "Vespa's image was never pulled", "Vespa Vector Search Issues", _change)
