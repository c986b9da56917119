"""KMS keys under which an instance's volumes are: who starts it lends each to EC2 by a grant, or it doesn't start.

AWS takes the call, and the instance goes from `pending` back to `stopped`: `Client.InternalError: Client error on
launch`. Source: re:Post, "Why can't I start my EC2 instance with encrypted volumes". `iam` judges who may lend; the
key that AWS manages (`aws/ebs`) is lent by everybody. Left out: launches, keys that are disabled, keys' own policies.
"""

from __future__ import annotations

from collections.abc import Sequence

from moto.ec2.models import ec2_backends

CODE = "Client.InternalError"
MESSAGE = f"{CODE}: Client error on launch"


class WithheldKeys:
    """Instances that were started by somebody who may not lend EC2 the keys of their volumes."""

    def __init__(self) -> None:
        self.instances: set[str] = set()


def keys_of(account: str, region: str, instance: str) -> Sequence[str]:
    """The customer's keys of its volumes."""
    backend = ec2_backends[account][region]
    keys = {
        one.kms_key_id
        for one in list(backend.volumes.values())
        if one.attachment and one.attachment.instance.id == instance
    }
    return sorted(key for key in keys - {backend.default_kms_key_id} if key)
