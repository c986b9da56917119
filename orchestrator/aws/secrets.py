"""Secrets Manager: the one secret we must carry ourselves (Redis's token). The others are fetched by who needs them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import pages
from orchestrator.aws.session import code_of, problem_of
from orchestrator.aws.value_from import parse
from orchestrator.errors import OrchestratorError, Problem

MALFORMED = frozenset({"InvalidParameterException", "ValidationException"})
"""A name that AWS can't take; of a batch it doesn't say which."""
UNREADABLE = MALFORMED | {
    "AccessDeniedException",
    "DecryptionFailure",
    "InvalidRequestException",
    "ResourceNotFoundException",
}
"""What is so of this secret: it is gone, marked for deletion, its key is off, or it is not ours to read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What can be said of a secret without saying it: whether it is there, and the keys of its JSON object.

    `keys` is None when the value is no JSON object; `trouble` is why it could not be read. `arn` is the whole ARN,
    where AWS gave it.
    """

    exists: bool = True
    keys: frozenset[str] | None = None
    trouble: str = ""
    arn: str = ""


class Secrets:
    """Reads secret values through a boto3 `secretsmanager` client. `learn` hears each, so that it can be hidden."""

    def __init__(self, client: Any, learn: Callable[[str], None] = lambda _value: None) -> None:
        self._client = client
        self._learn = learn

    def value(self, arn: str) -> str:
        """The secret's string, in whatever form `valueFrom` names it. The caller must not let it be recorded."""
        try:
            value = text_of(self._client.get_secret_value(**parse(arn).asked), arn)
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
        """Of each secret its shape; the values go no further than this. One that can't be read says so by itself."""
        unique = sorted(set(arns))
        found = self._together([arn for arn in unique if parse(arn).is_current])
        return {arn: found[arn] if arn in found else self._shape(arn) for arn in unique}

    def _together(self, arns: Sequence[str]) -> Mapping[str, Shape]:
        """In batches; names that AWS can't take are left out."""
        names = sorted({parse(arn).source for arn in arns})
        asked: dict[str, Any] = {"gone": MALFORMED, "SecretIdList": names}
        try:
            read = list(pages(self._client, "batch_get_secret_value", **asked)) if names else []
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "secretsmanager:BatchGetSecretValue") from None
        values = [one for page in read for one in page.get("SecretValues", ())]
        errors = {one["SecretId"]: one for page in read for one in page.get("Errors", ())}
        found = {arn: _unseen(errors[parse(arn).source]) for arn in arns if parse(arn).source in errors}
        for arn in arns:
            said = next((one for one in values if parse(arn).means(one)), None)
            if said is not None:
                found[arn] = self._seen(said)
        return found

    def _shape(self, arn: str) -> Shape:
        try:
            return self._seen(self._client.get_secret_value(**parse(arn).asked))
        except ClientError as error:
            if code_of(error) in UNREADABLE:
                return _unseen({"ErrorCode": code_of(error), "Message": error.response["Error"].get("Message", "")})
            raise problem_of(error, "secretsmanager:GetSecretValue") from None
        except BotoCoreError as error:
            raise problem_of(error, "secretsmanager:GetSecretValue") from None

    def _seen(self, answer: Mapping[str, Any]) -> Shape:
        try:
            value = text_of(answer, "")
        except OrchestratorError as error:
            return Shape(trouble=error.problems[0].message, arn=str(answer.get("ARN", "")))
        self._learn(value)
        return Shape(keys=_keys(value), arn=str(answer.get("ARN", "")))


def text_of(answer: Mapping[str, Any], arn: str) -> str:
    """The value in AWS's answer: its text, or its bytes where they are text. Raises `secret-not-text`."""
    if "SecretString" in answer:
        return str(answer["SecretString"])
    try:
        return bytes(answer.get("SecretBinary", b"")).decode()
    except UnicodeDecodeError:
        fix = "store it as text: aws secretsmanager put-secret-value --secret-string file://…"
        raise OrchestratorError(
            Problem("secret-not-text", "the secret holds bytes that are not text", arn, fix)
        ) from None


def _unseen(error: Mapping[str, str]) -> Shape:
    code = error.get("ErrorCode", "ResourceNotFoundException")
    absent = code in ("ResourceNotFoundException", "InvalidRequestException")
    return Shape(exists=not absent, trouble=f"{code}: {error.get('Message', '')}")


def _keys(value: str) -> frozenset[str] | None:
    try:
        parsed = json.loads(value)
    except ValueError:
        return None
    return frozenset(parsed) if isinstance(parsed, dict) else None
