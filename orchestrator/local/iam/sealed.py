"""What a call must be allowed on a KMS key that the customer manages: the service asks for it in the caller's name.

Of secrets, and of the volumes of instances that are started. Sources: "Secret encryption and decryption in AWS Secrets
Manager", "Requirements for EBS encryption". The keys that AWS manages ask for nothing. Left out: keys of other services
(S3, RDS, parameters), the keys' own policies, and grants that exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.kms.models import kms_backends
from moto.secretsmanager.models import secretsmanager_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.ec2.lent_keys import keys_of
from orchestrator.local.iam.needs import CalledOperation, RequiredPermission, secret_arn

OPENED, SEALED = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")
ASKED = {
    "secretsmanager:CreateSecret": SEALED,
    "secretsmanager:GetSecretValue": OPENED,
    "secretsmanager:PutSecretValue": SEALED,
}
REFUSED = "Access to KMS is not allowed"
"""Secrets Manager's words, under `AccessDeniedException`."""


def asked_of_keys(call: CalledOperation) -> Sequence[RequiredPermission]:
    """All of it must be allowed, beside what the service's own action is asked for."""
    actions = ASKED.get(call.action, ())
    if not actions:
        return ()
    named = call.ask("KmsKeyId") if call.operation == "CreateSecret" else _key_of(call, str(call.ask("SecretId")))
    return _of_key(call, named, actions)


def asked_of_key_of(call: CalledOperation, secret: str) -> Sequence[RequiredPermission]:
    """For one secret of several."""
    return _of_key(call, _key_of(call, secret), OPENED)


def asked_to_start(call: CalledOperation) -> Mapping[str, Sequence[RequiredPermission]]:
    """Of each instance that is told to start: to lend EC2 the keys of its volumes."""
    if call.action != "ec2:StartInstances":
        return {}
    through = {"kms:viaservice": (f"ec2.{call.region}.amazonaws.com",), "kms:grantisforawsresource": ("true",)}
    return {
        one: [RequiredPermission("kms:CreateGrant", key, through) for key in keys_of(ACCOUNT, call.region, one)]
        for one in call.ask("InstanceIds") or ()
    }


def _of_key(call: CalledOperation, named: Any, actions: Sequence[str]) -> Sequence[RequiredPermission]:
    if not named or str(named).startswith("alias/aws/"):
        return ()
    key = kms_backends[ACCOUNT][call.region].describe_key(str(named)).arn
    through = {"kms:viaservice": (f"secretsmanager.{call.region}.amazonaws.com",)}
    return [RequiredPermission(action, key, through) for action in actions]


def _key_of(call: CalledOperation, secret: str) -> str | None:
    secrets = secretsmanager_backends[ACCOUNT][call.region].secrets.values()
    asked = (secret, secret_arn(call, secret))
    return next((getattr(one, "kms_key_id", None) for one in secrets if one.arn in asked or one.name == secret), None)
