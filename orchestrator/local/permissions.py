"""May a role do this? Decided by moto's own policy machinery, for the roles that tasks use.

Left out: resource policies, permission boundaries, service control policies, and conditions: a conditional Allow
allows, a conditional Deny is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, PermissionResult
from moto.iam.models import Role, iam_backends

from orchestrator.local.cloud import ACCOUNT


def role_named(arn: str) -> Role | None:
    """The role, or None: there is none of that ARN."""
    return next((role for role in iam_backends[ACCOUNT]["aws"].get_roles() if role.arn == arn), None)


def allows(role_arn: str, action: str, resource: str) -> bool:
    """Whether the role's inline and attached policies allow the action on the resource; an explicit deny wins."""
    return decision(role_arn, action, resource) == "allowed"


def decision(role_arn: str, action: str, resource: str) -> str:
    """In the words of IAM's simulator: `allowed`, `implicitDeny` (nothing allows it), `explicitDeny`."""
    role = role_named(role_arn)
    if role is None:
        return "implicitDeny"
    verdicts = {IAMPolicyStatement(said).is_action_permitted(action, resource) for said in _statements(role)}
    if PermissionResult.DENIED in verdicts:
        return "explicitDeny"
    return "allowed" if PermissionResult.PERMITTED in verdicts else "implicitDeny"


def _statements(role: Role) -> Iterator[dict[str, Any]]:
    for policy in [*role.policies.values(), *role.managed_policies.values()]:
        said = IAMPolicy(policy)._policy_json["Statement"]
        for statement in said if isinstance(said, list) else [said]:
            if statement["Effect"] == "Allow" or "Condition" not in statement:
                yield {key: value for key, value in statement.items() if key != "Condition"}
