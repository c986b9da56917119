"""The tasks look for their files in the bucket of an earlier stack."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled
from orchestrator.local.faults.revisions import change_definition, set_variable


def _change(console: Console) -> Iterator[Undo]:
    yield from change_definition(console, set_variable("S3_FILE_STORE_BUCKET_NAME", lambda bucket: f"{bucket}-old"))


FAULT = meddled("bucket-elsewhere", "the tasks use another bucket", "S3 Storage Issues", _change, restarts=False)
