"""Parameters of Systems Manager: SecureStrings, encrypted with the account's own key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.batches import answers
from orchestrator.aws.pages import items
from orchestrator.aws.session import code_of, problem_of
from orchestrator.errors import OrchestratorError, Problem

READERS = 8
UNREADABLE = frozenset({"ParameterNotFound", "AccessDeniedException", "ValidationException"})
"""What is so of this parameter alone."""


class Parameters:
    """SecureStrings through a boto3 `ssm` client. `learn` hears each value that is read, so that it can be hidden."""

    def __init__(self, client: Any, learn: Callable[[str], None] = lambda _value: None) -> None:
        self._client = client
        self._learn = learn

    def value(self, name: str) -> str:
        """The parameter's value, by its name or ARN."""
        try:
            value = str(self._client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == "ParameterNotFound":
                problem = Problem("secret-missing", "the parameter does not exist", name, "run terraform apply")
                raise OrchestratorError(problem) from None
            raise problem_of(error, "ssm:GetParameter") from None
        self._learn(value)
        return value

    def troubles(self, names: Sequence[str]) -> Mapping[str, str]:
        """Of each parameter, by name or ARN, why it can't be read; empty: it can. Values are left encrypted."""
        unique = sorted(set(names))
        with ThreadPoolExecutor(READERS) as pool:
            return dict(zip(unique, pool.map(self._trouble, unique), strict=True))

    def _trouble(self, name: str) -> str:
        try:
            self._client.get_parameter(Name=name)
        except ClientError as error:
            if code_of(error) in UNREADABLE:
                return f"{code_of(error)}: {error.response['Error'].get('Message', '')}"
            raise problem_of(error, "ssm:GetParameter") from None
        except BotoCoreError as error:
            raise problem_of(error, "ssm:GetParameter") from None
        return ""

    def put(self, name: str, value: str, description: str) -> None:
        """Make a new SecureString of at most 4 KB, under a name that nobody else draws."""
        try:
            self._client.put_parameter(
                Name=name, Value=value, Description=description, Type="SecureString", Tier="Standard", Overwrite=False
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "ParameterAlreadyExists":  # a first try arrived, and its answer was lost
                raise problem_of(error, "ssm:PutParameter") from None

    def delete(self, names: Sequence[str]) -> None:
        """They are gone afterwards; those that already were don't matter."""
        try:
            for _ in answers(self._client, "delete_parameters", Names=list(names)):
                pass
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "ssm:DeleteParameters") from None

    def below(self, path: str) -> Mapping[str, datetime]:
        """The names under a path, and when each was written. Values are left encrypted."""
        try:
            found = list(items(self._client, "get_parameters_by_path", "Parameters", Path=path, Recursive=True))
        except (ClientError, BotoCoreError) as error:
            raise problem_of(error, "ssm:GetParametersByPath") from None
        return {one["Name"]: one["LastModifiedDate"] for one in found}
