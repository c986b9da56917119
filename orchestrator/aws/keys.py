"""Secrets that data need to be read again: which task definitions name them, whether they outlive the stack, copies.

A copy is another secret of Secrets Manager, sealed with the original's key of KMS; with the account's own key for
Secrets Manager (`aws/secretsmanager`) where the original has none, or its key goes with the stack. The value passes
through this process alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.aws.task_definition import TaskDefinition, parsed

VARIABLES = frozenset({"ENCRYPTION_KEY_SECRET", "OPENSEARCH_ADMIN_PASSWORD", "USER_AUTH_SECRET"})
"""Data that need them: Onyx encrypts credentials in its database with the first; OpenSearch keeps
the password of its first start on its volume; sessions and reset links are signed with the last."""


@dataclass(frozen=True, slots=True)
class Key:
    """`source` is what the task definition says: an ARN (perhaps with `:json-key::`); empty: it is there in clear."""

    variable: str
    source: str
    outside: bool
    """It lives on when the stack is destroyed."""


Managed = Callable[[str], bool]
"""Whether the stack's state manages the secret, or the key of KMS, with this ARN (or id, or alias): it goes with it."""


def of_no_state(_name: str) -> bool:
    """Where no state is at hand."""
    return False


class Keys:
    """Through boto3 clients for `ecs` and `secretsmanager`. `learn` hears each value first: it is never shown."""

    def __init__(self, ecs: Any, secrets: Any, learn: Callable[[str], None]) -> None:
        self._ecs = ecs
        self._secrets = secrets
        self._learn = learn

    def of(self, task_definition: str, stack: str, managed: Managed = of_no_state) -> Sequence[Key]:
        """The keys that the tasks of this definition get. `managed` tells what the stack's state manages."""
        with translated("ecs:DescribeTaskDefinition"):
            raw = self._ecs.describe_task_definition(taskDefinition=task_definition)["taskDefinition"]
        return [self._key(name, source, stack, managed) for name, source in sorted(_sources(parsed(raw)).items())]

    def _key(self, variable: str, source: str, stack: str, managed: Managed) -> Key:
        return Key(variable, source, not source or not self._is_of(source, stack, managed))

    def _is_of(self, source: str, stack: str, managed: Managed) -> bool:
        """Whether Terraform made it as a part of the stack: then it goes with it."""
        if ":secretsmanager:" not in source:
            return False  # an SSM parameter: terraform/ makes none
        if managed(secret_of(source)):
            return True
        with translated("secretsmanager:DescribeSecret"):
            said = self._secrets.describe_secret(SecretId=secret_of(source))
        tags = {pair["Key"]: pair["Value"] for pair in said.get("Tags", ())}
        return tags.get("Stack") == stack

    def keep(self, source: str, name: str, tags: Mapping[str, str], managed: Managed = of_no_state) -> str:
        """Copy the whole secret under another name, once; the copy's ARN."""
        value, key = self._value(secret_of(source)), self._sealed_with(secret_of(source))
        pairs = [{"Key": key, "Value": it} for key, it in tags.items()]
        sealed = {"KmsKeyId": key} if key and not managed(key) else {}
        try:
            return str(self._secrets.create_secret(Name=name, SecretString=value, Tags=pairs, **sealed)["ARN"])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ResourceExistsException":
                raise problem_of(error, "secretsmanager:CreateSecret") from None
        with translated("secretsmanager:DescribeSecret"):
            return str(self._secrets.describe_secret(SecretId=name)["ARN"])

    def _sealed_with(self, secret: str) -> str:
        """Its KMS key, as it was given (id, ARN or alias); empty: the account's own for Secrets Manager."""
        with translated("secretsmanager:DescribeSecret"):
            return str(self._secrets.describe_secret(SecretId=secret).get("KmsKeyId") or "")

    def bears(self, kept: str, tags: Mapping[str, str]) -> bool:
        """Whether there is such a secret, with all of these tags."""
        try:
            said = self._secrets.describe_secret(SecretId=kept)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                return False
            raise problem_of(error, "secretsmanager:DescribeSecret") from None
        return tags.items() <= {pair["Key"]: pair["Value"] for pair in said.get("Tags", ())}.items()

    def same(self, kept: str, target: str) -> bool:
        """Whether both hold the same value."""
        return self._value(secret_of(kept)) == self._value(secret_of(target))

    def put_back(self, kept: str, target: str) -> None:
        """The target has the kept value again."""
        value = self._value(secret_of(kept))
        with translated("secretsmanager:PutSecretValue"):
            self._secrets.put_secret_value(SecretId=secret_of(target), SecretString=value)

    def forget(self, kept: str) -> None:
        """The copy is gone for good."""
        try:
            self._secrets.delete_secret(SecretId=kept, ForceDeleteWithoutRecovery=True)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ResourceNotFoundException":
                raise problem_of(error, "secretsmanager:DeleteSecret") from None

    def _value(self, arn: str) -> str:
        with translated("secretsmanager:GetSecretValue"):
            value = str(self._secrets.get_secret_value(SecretId=arn)["SecretString"])
        self._learn(value)
        return value


def secret_of(source: str) -> str:
    """The secret's ARN without the JSON key, version stage and version id that `valueFrom` may add."""
    return ":".join(source.split(":")[:7])


def _sources(definition: TaskDefinition) -> dict[str, str]:
    named = {name: source for _, name, source in definition.secrets() if name in VARIABLES}
    plain = {name: "" for name in definition.variables() if name in VARIABLES}
    return {**plain, **named}
