"""What a key of KMS that the customer manages asks of whoever calls the service that uses it. Pure.

A secret, an object, a volume or a database server under such a key is opened in the caller's name: the service's action
alone is refused. The keys that AWS manages for its services ask for nothing. A snapshot that is taken, of a volume or a
server, keeps its original's key by the service's own grant: that asks for nothing either. Sources: "How Secrets Manager
uses KMS", "Using SSE-KMS", "How Parameter Store uses KMS", "Requirements for EBS encryption"; for RDS the operations
that may answer `KMSKeyNotAccessibleFault`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.errors import Problem
from orchestrator.policy.grants import Condition, Grant, PolicyScope

READ, SEAL = ("kms:Decrypt",), ("kms:Decrypt", "kms:GenerateDataKey")
LEND = ("kms:CreateGrant", "kms:DescribeKey")
"""The service is given a grant, with which it opens what it starts."""
OPENING: Mapping[str, tuple[str, ...]] = {
    "ec2:StartInstances": LEND,
    "rds:StartDBCluster": LEND,
    "rds:StartDBInstance": LEND,
    "s3:GetObject": READ,
    "s3:PutObject": SEAL,
    "secretsmanager:BatchGetSecretValue": READ,
    "secretsmanager:CreateSecret": SEAL,
    "secretsmanager:GetSecretValue": READ,
    "secretsmanager:PutSecretValue": SEAL,
    "ssm:GetParameter": READ,
}
"""Action → what it asks of the key. S3 opens an object in parts that is being written (`kms:Decrypt`), too."""


@dataclass(frozen=True, slots=True)
class _Via:
    """A statement's condition: asked through these services only, and for a grant, for AWS's own use."""

    services: tuple[str, ...]
    grants: bool

    def __call__(self, scope: PolicyScope) -> Condition:
        through = tuple(f"{service}.{scope.stack.region}.amazonaws.com" for service in self.services)
        held: dict[str, Mapping[str, tuple[str, ...]]] = {"StringEquals": {"kms:ViaService": through}}
        return held | {"Bool": {"kms:GrantIsForAWSResource": ("true",)}} if self.grants else held


def opening(grants: Iterable[Grant], scope: PolicyScope) -> Sequence[Grant]:
    """What these grants ask of the stack's keys; nothing where none is known."""
    services: dict[str, set[str]] = defaultdict(set)
    for action in _used(grants, scope) if scope.keys else ():
        for asked in OPENING.get(action, ()):
            services[asked].add(action.partition(":")[0])
    return [
        Grant((asked,), _keys, _Via(tuple(sorted(through)), asked == "kms:CreateGrant"))
        for asked, through in sorted(services.items())
    ]


def _used(grants: Iterable[Grant], scope: PolicyScope) -> set[str]:
    return {action for grant in grants if grant.on(scope) for action in grant.actions}


def _keys(scope: PolicyScope) -> Sequence[str]:
    return scope.keys


def defects(named: Iterable[str]) -> Iterable[Problem]:
    """Of what somebody calls keys: a policy for anything but a key's ARN would allow nothing, and say nothing."""
    for one in named:
        parts = one.split(":", 5)
        if len(parts) < 6 or parts[0] != "arn" or parts[2] != "kms" or not parts[5].startswith("key/"):
            fix = f"name the key by its ARN: aws kms describe-key --key-id {one} --query KeyMetadata.Arn --output text"
            yield Problem("kms-key-invalid", "a policy names a key of KMS by the key's own ARN", one, fix)
