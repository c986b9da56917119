"""The tenant's secret has other keys than the task definition asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _rename(console: Console) -> Iterator[Undo]:
    store = console.client("secretsmanager")
    named = [
        one["valueFrom"]
        for made in console.definitions()
        for each in made["containerDefinitions"]
        for one in each.get("secrets", ())
    ]
    for arn in {":".join(value.split(":")[:7]) for value in named if ":password:" in value}:
        before = store.get_secret_value(SecretId=arn)["SecretString"]
        said = json.loads(before)
        store.put_secret_value(
            SecretId=arn, SecretString=json.dumps({"username": said["username"], "pass": said["password"]})
        )
        yield lambda arn=arn, before=before: store.put_secret_value(SecretId=arn, SecretString=before)  # type: ignore[misc]


FAULT = meddled("secret-key-missing", "the tenant's secret has no key password", "Prevention Checklist", _rename)
