"""The tasks ask Vespa on the guide's port: 8080."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("VESPA_PORT", lambda _port: "8080"))


FAULT = meddled("vespa-port-8080", "VESPA_PORT is 8080", "Vespa Vector Search Issues", _change, restarts=False)
