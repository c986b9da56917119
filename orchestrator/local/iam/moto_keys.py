"""KMS keys that can't be used: disabled, or scheduled for deletion. What is sealed with one can't be opened.

moto: a key's state changes nothing, and isn't changed by the key's ARN. AWS: a secret's value isn't given
(`DecryptionFailure`); a database server whose storage it encrypts is taken away
(`inaccessible-encryption-credentials-recoverable`: faults/database_key_disabled) and doesn't start
(`KMSKeyNotAccessibleFault`). Sources: Secrets Manager's API reference; re:Post, "How do I resolve an Amazon RDS
instance that's in an inaccessible encryption state". Left out: volumes, buckets and parameters; the seven days after
which RDS gives the server up; KMS's own calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.kms.models import KmsBackend, kms_backends
from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, RDSBackend
from moto.secretsmanager.exceptions import InvalidRequestException
from moto.secretsmanager.models import FakeSecret, SecretsManagerBackend

from orchestrator.local.core.cloud import ACCOUNT, Cloud
from orchestrator.local.core.corrections import replace

LOCKED = "inaccessible-encryption-credentials-recoverable"


class DecryptionFailure(InvalidRequestException):
    """Of one secret. A subclass, because moto puts just these into the errors of a batch."""

    def __init__(self) -> None:
        super().__init__("Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
        self.error_type = "DecryptionFailure"
        self.description = self.description.replace("InvalidRequestException", self.error_type)


def is_off(key: str | None, region: str) -> bool:
    """Whether this key of the customer's can't be used; the keys that AWS manages always can."""
    if not key or key.startswith("alias/aws/"):
        return False
    backend = kms_backends[ACCOUNT][region]
    found = backend.keys.get(backend.any_id_to_key_id(key))
    return found is not None and found.key_state != "Enabled"


def _by_any_name(change: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: KmsBackend, key_id: str, *args: Any, **how: Any) -> Any:
        return change(self, self.any_id_to_key_id(key_id), *args, **how)

    return call


def install(_cloud: Cloud) -> None:
    """Values are read, and servers started, with keys that can be used."""
    value, start = SecretsManagerBackend.get_secret_value, RDSBackend.start_db_instance

    def get_secret_value(self: SecretsManagerBackend, secret_id: str, *args: Any, **version: Any) -> dict[str, Any]:
        secret = self.secrets.get(secret_id)
        if isinstance(secret, FakeSecret) and is_off(secret.kms_key_id, self.region_name):
            raise DecryptionFailure
        return value(self, secret_id, *args, **version)

    def start_db_instance(self: RDSBackend, db_instance_identifier: str) -> DBInstance:
        known = self.describe_db_instances(db_instance_identifier)[0]
        if is_off(known.kms_key_id, self.region_name):
            said = f"The specified KMS key [{known.kms_key_id}] is not accessible."
            raise RDSClientError("KMSKeyNotAccessibleFault", said)
        if known.status == LOCKED:
            known.status = "stopped"  # moto starts no other
        return start(self, db_instance_identifier)

    for name in ("disable_key", "enable_key", "schedule_key_deletion", "cancel_key_deletion"):
        replace(KmsBackend, **{name: _by_any_name(getattr(KmsBackend, name))})
    replace(SecretsManagerBackend, get_secret_value=get_secret_value)
    replace(RDSBackend, start_db_instance=start_db_instance)
