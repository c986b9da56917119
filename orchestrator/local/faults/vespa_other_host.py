"""VESPA_HOST is the address of an instance that is gone, as after destroy and apply."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("VESPA_HOST", lambda _host: "10.0.10.250"))


FAULT = meddled(
    "vespa-other-host", "VESPA_HOST is an old instance's", "Vespa Vector Search Issues", _change, restarts=False
)
