"""The secret holds another token than the replication group: somebody stored a new one and rotated nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _change(console: Console) -> Iterator[Undo]:
    store = console.client("secretsmanager")
    containers = [one for made in console.definitions() for one in made["containerDefinitions"]]
    named = [one for each in containers for one in each.get("secrets", ()) if one["name"] == "REDIS_PASSWORD"]
    for arn in {one["valueFrom"] for one in named}:
        before = store.get_secret_value(SecretId=arn)["SecretString"]
        store.put_secret_value(SecretId=arn, SecretString=secrets.token_hex(32))
        yield partial(store.put_secret_value, SecretId=arn, SecretString=before)


FAULT = meddled(
    "redis-wrong-password", "the tasks send Redis another token", "Redis/Cache Issues", _change, per_tenant=False
)
