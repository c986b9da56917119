"""The tenant's secret was deleted; it can be restored for a week."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    store = console.client("secretsmanager")
    containers = [one for made in console.definitions() for one in made["containerDefinitions"]]
    named = [one["valueFrom"] for each in containers for one in each.get("secrets", ())]
    for arn in {":".join(value.split(":")[:7]) for value in named if ":password:" in value}:
        store.delete_secret(SecretId=arn, RecoveryWindowInDays=7)
        yield partial(store.restore_secret, SecretId=arn)


FAULT = meddled("secret-missing", "the tenant's secret is deleted", "Prevention Checklist", _delete)
