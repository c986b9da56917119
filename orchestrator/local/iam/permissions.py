"""May somebody do this? Decided by moto's own policy machinery, for the roles of tasks and instances and for callers.

Left out: resource policies, permission boundaries, service control policies. Of a role that is only asked about, a
conditional Allow allows and a conditional Deny is passed over; of a call, conditions are judged (`conditions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.iam.access_control import IAMPolicy, IAMPolicyStatement, PermissionResult
from moto.iam.models import Role, iam_backends

from orchestrator.local.core.cloud import ACCOUNT, PARTITION
from orchestrator.local.iam.conditions import Context, holds

Statement = Mapping[str, Any]


def role_named(arn: str) -> Role | None:
    """The role, or None: there is none of that ARN."""
    return next((role for role in iam_backends[ACCOUNT][PARTITION].get_roles() if role.arn == arn), None)


def policies_of(role: Role) -> list[Any]:
    """Its inline and its attached policies."""
    return [*role.policies.values(), *role.managed_policies.values()]


def allows(role_arn: str, action: str, resource: str) -> bool:
    """Whether the role's inline and attached policies allow the action on the resource; an explicit deny wins."""
    return decision(role_arn, action, resource) == "allowed"


def decision(role_arn: str, action: str, resource: str) -> str:
    """In the words of IAM's simulator: `allowed`, `implicitDeny` (nothing allows it), `explicitDeny`."""
    role = role_named(role_arn)
    if role is None:
        return "implicitDeny"
    said = statements(policies_of(role))
    return _verdict(
        (_bare(one) for one in said if one["Effect"] == "Allow" or "Condition" not in one), action, resource
    )


def verdict(policies: Iterable[Any], action: str, resource: str, context: Context) -> str:
    """The same of a call under these policies of moto's (documents, managed policies): conditions count."""
    said = (_bare(one) for one in statements(policies) if holds(one.get("Condition", {}), context))
    return _verdict(said, action, resource)


def statements(policies: Iterable[Any]) -> Iterator[Statement]:
    """Every statement of these policies."""
    for policy in policies:
        said = IAMPolicy(policy)._policy_json["Statement"]
        yield from said if isinstance(said, list) else [said]


def _bare(statement: Statement) -> Statement:
    return {key: value for key, value in statement.items() if key != "Condition"}


def _verdict(said: Iterable[Statement], action: str, resource: str) -> str:
    found = {IAMPolicyStatement(one).is_action_permitted(action, resource) for one in said}
    if PermissionResult.DENIED in found:
        return "explicitDeny"
    return "allowed" if PermissionResult.PERMITTED in found else "implicitDeny"
