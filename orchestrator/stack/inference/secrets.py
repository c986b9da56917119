"""Where passwords are: a secret or parameter by name, or in clear in the state. Pure.

A value found in clear goes into `ContractDraft.keep`, which masks it, and nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.aws.partitions import partition_of
from orchestrator.aws.value_from import parse, same_secret, without_key
from orchestrator.stack.blueprint.resources import Resources
from orchestrator.stack.inference.model import ContractDraft, Key, dotted
from orchestrator.stack.inference.permissions import InstanceRole
from orchestrator.stack.values import PASSWORD_KEY


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A secret's (or parameter's) ARN and the key of its JSON object; empty: the whole value."""

    arn: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class SecretStores:
    """What the state knows of secret stores. `region` and `account` complete parameters that are named alone."""

    state: Resources
    region: str
    account: str
    reader: InstanceRole = field(default_factory=lambda: InstanceRole(known=True))
    """The runner's role: a secret it may not read is no use to it."""

    def place(self, value_from: str) -> SecretPlace:
        """What a container's `valueFrom` means: ARN[:KEY:STAGE:VERSION] of a secret, a parameter's ARN or name."""
        found = parse(value_from)
        if found.is_secret:
            return SecretPlace(without_key(value_from), found.key)
        if value_from.startswith("arn:"):
            return SecretPlace(value_from)
        where = f"arn:{partition_of(self.region)}:ssm:{self.region}:{self.account}"
        return SecretPlace(f"{where}:parameter/{value_from.lstrip('/')}")

    def value(self, place: SecretPlace) -> str:
        """The value, where the state holds it in clear; else empty."""
        text = self._text(parse(place.arn).source) if parse(place.arn).is_current else ""
        if not place.key:
            return text
        return str(_object(text).get(place.key, ""))

    def source(self, place: SecretPlace) -> str:
        """Where the state holds the value."""
        address, attribute, _ = self._held(parse(place.arn).source)
        return f"{address}: {attribute}"

    def _text(self, arn: str) -> str:
        return self._held(arn)[2]

    def _held(self, arn: str) -> tuple[str, str, str]:
        """Address, attribute and value; empty where there is none."""
        for one in self.state.of("aws_secretsmanager_secret_version", data=True):
            if any(arn == said or same_secret(arn, said) for said in (one.text("arn"), one.text("secret_id"))):
                return one.address, "secret_string", one.text("secret_string")
        parameter = self.state.one("aws_ssm_parameter", "arn", arn)
        if parameter is None:
            return "", "", ""
        attribute = "value" if parameter.text("value") else "insecure_value"
        return parameter.address, attribute, parameter.text(attribute)

    def holder(self, password: str) -> tuple[SecretPlace, str] | None:
        """The secret that holds exactly this password, and what says so."""
        for one in self.state.of("aws_secretsmanager_secret_version"):
            text, arn = one.text("secret_string"), one.text("arn") or one.text("secret_id")
            if text == password:
                return SecretPlace(arn), one.place("arn", "secret_id")
            for key, value in _object(text).items():
                if value == password:
                    return SecretPlace(arn, key), one.place("arn", "secret_id")
        for one in self.state.of("aws_ssm_parameter"):
            if one.text("value") == password:
                return SecretPlace(one.text("arn")), one.place("arn")
        return None

    def is_readable(self, place: SecretPlace) -> bool:
        """Whether the runner may read it; AmazonSSMManagedInstanceCore lets it read parameters."""
        return ":ssm:" in place.arn or not self.reader.known or self.reader.reads(parse(place.arn).source)


ADMIN_KEYS = ("admin_secret_arn", "admin_secret_key", "admin_password")
TENANT_KEYS = ("secret_arn", "secret_key", "password")


def keep(
    draft: ContractDraft,
    part: Key,
    source: str,
    *,
    place: SecretPlace | None = None,
    clear: str = "",
    readable: bool = True,
) -> bool:
    """Put a password's place, or else the password itself, into the draft. Whether either is known."""
    arn, key, password = TENANT_KEYS if part[0] == "tenants" else ADMIN_KEYS
    if draft.mapped.says((*part, arn)) or draft.mapped.says((*part, password)):
        return True
    if place is not None and not readable:
        draft.remark(
            f"{dotted(part)}: the runner's role may not read {place.arn}: allow it secretsmanager:GetSecretValue"
        )
    if place is not None:
        draft.put((*part, arn), place.arn, source)
        if place.key != PASSWORD_KEY:
            draft.put((*part, key), place.key, source)
    elif clear:
        draft.put((*part, arn), None, source)
        draft.keep((*part, password), clear, source)
    return place is not None or bool(clear)


def _object(text: str) -> Mapping[str, object]:
    try:
        said = json.loads(text or "null")
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
