"""Somebody disabled the KMS key under which the tenant's secret is: nobody can read it until the key is enabled."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _disable(console: Console) -> Iterator[Undo]:
    store, kms = console.client("secretsmanager"), console.client("kms")
    key = kms.create_key(Description="secrets of a tenant")["KeyMetadata"]["Arn"]
    containers = [one for made in console.definitions() for one in made["containerDefinitions"]]
    named = [one["valueFrom"] for each in containers for one in each.get("secrets", ())]
    for arn in sorted({":".join(value.split(":")[:7]) for value in named if ":password:" in value}):
        before = store.describe_secret(SecretId=arn).get("KmsKeyId", "alias/aws/secretsmanager")
        yield partial(store.update_secret, SecretId=arn, KmsKeyId=before)
        store.update_secret(SecretId=arn, KmsKeyId=key)
    yield partial(kms.enable_key, KeyId=key)
    kms.disable_key(KeyId=key)


FAULT = meddled(
    "secret-kms-key-disabled", "the KMS key of the tenant's secret is disabled", "Prevention Checklist", _disable
)
