"""IAM's policy simulator, which moto has not: under a role's own policies, by the evaluator that tasks are judged with.

And patterns: moto takes a `?` for a regular expression's, and a dot for any character; IAM's `?` is one character.
Left out: users and groups, context keys, permission boundaries, resource policies, matched statements.
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.access_control import IAMPolicyStatement
from moto.iam.exceptions import NoSuchEntity
from moto.iam.responses import IamResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.iam.permissions import decision, role_named


def install(_cloud: Cloud) -> None:
    """SimulatePrincipalPolicy answers."""

    def simulate_principal_policy(self: IamResponse) -> ActionResult:
        role = str(self._get_param("PolicySourceArn"))
        if role_named(role) is None:
            raise NoSuchEntity(f"The entity {role} cannot be found.")
        results = [
            _result(role, action, resource)
            for action in self._get_param("ActionNames") or []
            for resource in self._get_param("ResourceArns") or ["*"]
        ]
        return ActionResult({"EvaluationResults": results, "IsTruncated": False})

    replace(IamResponse, simulate_principal_policy=simulate_principal_policy)
    replace(IAMPolicyStatement, _match=staticmethod(_match))


def _match(pattern: str, string: str) -> re.Match[str] | None:
    wild = {"*": ".*", "?": "."}
    return re.fullmatch("".join(wild.get(one) or re.escape(one) for one in pattern), string, re.DOTALL)


def _result(role: str, action: str, resource: str) -> dict[str, Any]:
    return {
        "EvalActionName": action,
        "EvalResourceName": resource,
        "EvalDecision": decision(role, action, resource),
        "MatchedStatements": [],
        "MissingContextValues": [],
    }
