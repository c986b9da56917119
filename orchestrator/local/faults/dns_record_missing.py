"""The tenant's record is not in its zone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, change_record, meddled, own_cnames


def _delete(console: Console) -> Iterator[Undo]:
    for zone, record in list(own_cnames(console)):
        change_record(console, "DELETE", zone, record)
        yield partial(change_record, console, "UPSERT", zone, record)


FAULT = meddled(
    "dns-record-missing", "the hostname has no record", "Terraform Destroy/Apply Cycle", _delete, restarts=False
)
