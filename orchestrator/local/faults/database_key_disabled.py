"""Somebody disabled the KMS key of the database server's storage: RDS takes the server away until it is enabled.

In AWS an instance has its key from its creation. Here it gets one of the customer's at this moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from moto.rds.models import rds_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.faults.manual_changes import Console, Undo, meddled, settled
from orchestrator.local.iam.moto_keys import LOCKED


def _disable(console: Console) -> Iterator[Undo]:
    rds, kms = console.client("rds"), console.client("kms")
    key = kms.create_key(Description="storage of the database server")["KeyMetadata"]["Arn"]
    for one in rds.describe_db_instances()["DBInstances"]:
        name = one["DBInstanceIdentifier"]
        settled(rds, name)
        yield partial(_start, rds, name)
        instance = rds_backends[ACCOUNT][one["DBInstanceArn"].split(":")[3]].databases[name]
        instance.kms_key_id, instance.status = key, LOCKED
        if console.cloud.databases:
            console.cloud.databases.stop(name)
    yield partial(kms.enable_key, KeyId=key)
    kms.disable_key(KeyId=key)


def _start(rds: Any, name: str) -> None:
    if settled(rds, name) == LOCKED:
        rds.start_db_instance(DBInstanceIdentifier=name)


FAULT = meddled(
    "database-key-disabled",
    "the KMS key of the database server's storage is disabled",
    "Database Issues",
    _disable,
    per_tenant=False,
)
