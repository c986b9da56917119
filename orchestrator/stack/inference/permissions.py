"""What an instance's role may do, by the policies in the state. Pure.

Left out: denials, conditions, boundaries. A policy document that isn't in the state is known by its name alone.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.stack.blueprint.resources import Resource, Resources

_REGISTERS = "ssm:UpdateInstanceInformation"
READS = "secretsmanager:GetSecretValue"
_MANAGED = {
    "AmazonSSMManagedInstanceCore": (_REGISTERS,),
    "AmazonEC2RoleforSSM": (_REGISTERS,),
    "SecretsManagerReadWrite": (READS,),
    "AdministratorAccess": (_REGISTERS, READS),
    "PowerUserAccess": (_REGISTERS, READS),
}
"""Of AWS's own policies those that matter here, and what they allow on everything."""


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions on resources, with their wildcards."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]

    def covers(self, action: str, resource: str) -> bool:
        """IAM compares actions without regard to case."""
        wanted = action.lower()
        return any(fnmatch.fnmatchcase(wanted, it.lower()) for it in self.actions) and any(
            resource == "*" or fnmatch.fnmatchcase(resource, it) for it in self.resources
        )


@dataclass(frozen=True, slots=True)
class InstanceRole:
    """The role of an instance; `known` is false where the state does not hold its profile."""

    known: bool
    permissions: tuple[Permission, ...] = ()

    @property
    def registers(self) -> bool:
        """Whether its SSM agent may report for work."""
        return any(it.covers(_REGISTERS, "*") for it in self.permissions)

    def reads(self, arn: str) -> bool:
        """Whether it may read this secret."""
        return any(it.covers(READS, arn) for it in self.permissions)


def role_of(instance: Resource, state: Resources) -> InstanceRole:
    """The role in the instance's profile."""
    named = instance.text("iam_instance_profile").rsplit("/", 1)[-1]
    if not named:
        return InstanceRole(known=True)
    profile = next((it for it in state.of("aws_iam_instance_profile", data=True) if it.text("name") == named), None)
    if profile is None:
        return InstanceRole(known=False)
    name = (profile.text("role") or profile.text("role_name")).rsplit("/", 1)[-1]
    return InstanceRole(known=True, permissions=tuple(_permissions(name, state)))


def _permissions(role: str, state: Resources) -> Iterator[Permission]:
    documents = [it.text("policy") for it in state.of("aws_iam_role_policy") if it.text("role") == role]
    attached = {it.text("policy_arn") for it in state.of("aws_iam_role_policy_attachment") if it.text("role") == role}
    for one in state.of("aws_iam_role", data=True):
        if one.text("name") == role:
            documents += [str(it.get("policy") or "") for it in one.blocks("inline_policy")]
            attached |= set(one.texts("managed_policy_arns"))
    for arn in attached:
        if allowed := _MANAGED.get(arn.rsplit("/", 1)[-1]):
            yield Permission(allowed, ("*",))
        elif policy := state.one("aws_iam_policy", "arn", arn):
            documents.append(policy.text("policy"))
    for document in documents:
        yield from _statements(document)


def _statements(document: str) -> Iterator[Permission]:
    try:
        said = json.loads(document or "{}").get("Statement", ())
    except (ValueError, AttributeError):
        return
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, dict) and one.get("Effect") == "Allow":
            yield Permission(_listed(one.get("Action")), _listed(one.get("Resource")))


def _listed(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),) if value else ()
