"""The execution role lost its policy for the secrets."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled, take_policies


def _deny(console: Console) -> Iterator[Undo]:
    for role in {definition["executionRoleArn"] for definition in console.definitions()}:
        yield from take_policies(console, role)


FAULT = meddled(
    "secrets-denied", "the execution role may not read the secrets", "Prevention Checklist", _deny, per_tenant=False
)
