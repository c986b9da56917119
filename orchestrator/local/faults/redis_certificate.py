"""The tasks verify Redis's certificate and have no authority to verify it with."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("REDIS_SSL_CERT_REQS", lambda _reqs: "required"))


FAULT = meddled(
    "redis-certificate", "REDIS_SSL_CERT_REQS is required, without a CA", "Redis/Cache Issues", _change, restarts=False
)
