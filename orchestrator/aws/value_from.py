"""Where a secret value is, as ECS's `valueFrom` says it: a secret of Secrets Manager or a parameter of SSM.

A secret is named by its ARN, with or without the six characters that AWS adds to its name, and may be followed by
`:KEY:STAGE:VERSION`, each of them empty or not; a parameter by its ARN or its name (Amazon ECS, "Specifying sensitive
data"). Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import OrchestratorError, Problem

_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True, slots=True)
class Reference:
    """`source` is what AWS is asked for; `key` of its JSON object (empty: all of it); a version, if not the current.

    For a parameter there are neither keys nor stages.
    """

    source: str
    key: str = ""
    stage: str = ""
    version: str = ""

    @property
    def is_secret(self) -> bool:
        """Whether it is in Secrets Manager."""
        return ":secretsmanager:" in self.source

    @property
    def asked(self) -> dict[str, str]:
        """The arguments of GetSecretValue."""
        more = {"VersionStage": self.stage, "VersionId": self.version}
        return {"SecretId": self.source} | {name: value for name, value in more.items() if value}

    @property
    def is_current(self) -> bool:
        """Whether it names no version."""
        return not self.stage and not self.version

    def means(self, answer: Mapping[str, Any]) -> bool:
        """Whether AWS's answer is about this secret: it gives the whole ARN and the name, whatever it was asked for."""
        arn, name = str(answer.get("ARN", "")), str(answer.get("Name", ""))
        return bool(arn) and self.source in (arn, _SUFFIX.sub("", arn), name)


def parse(value_from: str) -> Reference:
    """What the text says."""
    if ":secretsmanager:" not in value_from:
        return Reference(value_from)
    parts = value_from.split(":") + [""] * 10
    return Reference(":".join(parts[:7]).rstrip(":"), *parts[7:10])


def without_key(value_from: str) -> str:
    """The same, of which the whole value is meant."""
    found = parse(value_from)
    return found.source if found.is_current else f"{found.source}::{found.stage}:{found.version}"


def held(value: str, key: str, place: str) -> str:
    """What the value holds under the key; all of it without one. Raises `secret-malformed`."""
    if not key:
        return value
    try:
        return str(json.loads(value)[key])
    except (ValueError, KeyError, TypeError):
        fix = f"store a JSON object with a {key}, or name a key that exists"
        message = f"the secret is not a JSON object with a {key}"
        raise OrchestratorError(Problem("secret-malformed", message, place, fix)) from None


KEYS = {"admin_secret_arn": "admin_secret_key", "secret_arn": "secret_key", "auth_secret_arn": "auth_secret_key"}
"""Where a contract names a secret, and beside it the key in it."""


def keys_apart(document: Any) -> Any:
    """The contract's document, what a secret's name says of the key being said beside it, unless another is."""
    if not isinstance(document, Mapping):
        return document
    apart = {name: keys_apart(part) for name, part in document.items()}
    for place, key in KEYS.items():
        said = document.get(place)
        if isinstance(said, str) and (found := parse(said)).key:
            apart[place] = without_key(said)
            apart.setdefault(key, found.key)
    return apart


def same_secret(one: str, other: str) -> bool:
    """Whether two names mean the same secret, one of them perhaps without AWS's six characters."""
    first, second = parse(one), parse(other)
    both = first.is_secret and second.is_secret
    return both and (first.means({"ARN": second.source}) or second.means({"ARN": first.source}))


def resource(value_from: str, *, partition: str, region: str, account: str) -> str:
    """The ARN that a policy names for it: AWS adds six characters to a secret's name."""
    found = parse(value_from)
    if found.is_secret:
        return found.source if _SUFFIX.search(found.source) else f"{found.source}-??????"
    if found.source.startswith("arn:"):
        return found.source
    return f"arn:{partition}:ssm:{region}:{account}:parameter/{found.source.lstrip('/')}"
