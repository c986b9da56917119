"""Secrets Manager: the one secret we must carry ourselves (Redis's token). The others are fetched by who needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import pages
from orchestrator.aws.session import code_of, problem_of
from orchestrator.errors import OrchestratorError, Problem


@dataclass(frozen=True, slots=True)
class Shape:
    """What can be said of a secret without saying it: whether it is there, and the keys of its JSON object.

    `keys` is None when the value is no JSON object; `trouble` is why it could not be read.
    """

    exists: bool = True
    keys: frozenset[str] | None = None
    trouble: str = ""


class Secrets:
    """Reads secret values through a boto3 `secretsmanager` client. `learn` hears each, so that it can be hidden."""

    def __init__(self, client: Any, learn: Callable[[str], None] = lambda _value: None) -> None:
        self._client = client
        self._learn = learn

    def value(self, arn: str) -> str:
        """The secret's current string. The caller must not let it reach anything that is recorded."""
        try:
            value = str(self._client.get_secret_value(SecretId=arn)["SecretString"])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ResourceNotFoundException":
                problem = Problem(
                    "secret-missing", "the secret does not exist or has no value", arn, "run terraform apply"
                )
                raise OrchestratorError(problem) from None
            raise problem_of(error, "secretsmanager:GetSecretValue") from None
        self._learn(value)
        return value

    def shapes(self, arns: Sequence[str]) -> Mapping[str, Shape]:
        """Of each secret its shape; the values go no further than this."""
        return dict(self._shapes(sorted(set(arns))))

    def _shapes(self, arns: Sequence[str]) -> Iterator[tuple[str, Shape]]:
        try:
            read = list(pages(self._client, "batch_get_secret_value", SecretIdList=list(arns)))
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "secretsmanager:BatchGetSecretValue") from None
        errors = {one["SecretId"]: one for page in read for one in page.get("Errors", ())}
        values = {one["ARN"]: one.get("SecretString", "") for page in read for one in page.get("SecretValues", ())}
        for arn in arns:
            if arn in values:
                self._learn(values[arn])
                yield arn, Shape(keys=_keys(values[arn]))
            else:
                code = errors.get(arn, {}).get("ErrorCode", "ResourceNotFoundException")
                absent = code in ("ResourceNotFoundException", "InvalidRequestException")
                trouble = f"{code}: {errors.get(arn, {}).get('Message', '')}"
                yield arn, Shape(exists=not absent, trouble=trouble)


def _keys(value: str) -> frozenset[str] | None:
    try:
        parsed = json.loads(value)
    except ValueError:
        return None
    return frozenset(parsed) if isinstance(parsed, dict) else None
