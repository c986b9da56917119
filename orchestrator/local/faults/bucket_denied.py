"""The task role lost its policy for the bucket."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled, take_policies


def _deny(console: Console) -> Iterator[Undo]:
    for definition in console.definitions():
        yield from take_policies(console, definition["taskRoleArn"])


FAULT = meddled("bucket-denied", "the task role may not use the bucket", "S3 Storage Issues", _deny)
