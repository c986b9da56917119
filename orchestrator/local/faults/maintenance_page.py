"""The tenant's rule shows a maintenance page, with 200."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

PAGE = {"StatusCode": "200", "ContentType": "text/html", "MessageBody": "<h1>We are back soon</h1>"}


def _show(console: Console) -> Iterator[Undo]:
    yield from entrances.lead(console, {"Type": "fixed-response", "FixedResponseConfig": PAGE})


FAULT = meddled("maintenance-page", "the tenant's rule shows a page, with 200", "", _show, restarts=False)
