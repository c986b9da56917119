"""IAM: what a role may do, asked of IAM's own simulator (its own policies; a bucket's policy is not in it)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items
from orchestrator.aws.session import code_of, problem_of


@dataclass(frozen=True, slots=True)
class Denied:
    """An action on a resource that the role's policies don't allow. `decision` is implicitDeny or explicitDeny."""

    action: str
    resource: str
    decision: str = "implicitDeny"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a simulation found. `exists` is False when there is no such role."""

    denied: tuple[Denied, ...] = ()
    exists: bool = True


class Iam:
    """Policy simulations through a boto3 `iam` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def role_of(self, profile_arn: str) -> str:
        """The ARN of the role in an instance profile; empty: there is none in it, or no such profile."""
        try:
            answer = self._client.get_instance_profile(InstanceProfileName=profile_arn.rsplit("/", 1)[-1])
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("NoSuchEntity", "NoSuchEntityException"):
                return ""
            raise problem_of(error, "iam:GetInstanceProfile") from None
        return next((str(one["Arn"]) for one in answer["InstanceProfile"]["Roles"]), "")

    def simulate(self, role_arn: str, actions: Sequence[str], resources: Sequence[str]) -> Permissions:
        """Every action on every resource, under the role's own policies. One call a page."""
        asked: dict[str, Any] = {
            "PolicySourceArn": role_arn,
            "ActionNames": list(actions),
            "ResourceArns": list(resources),
        }
        try:
            results = list(items(self._client, "simulate_principal_policy", "EvaluationResults", **asked))
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("NoSuchEntity", "NoSuchEntityException"):
                return Permissions(exists=False)
            raise problem_of(error, "iam:SimulatePrincipalPolicy") from None
        return Permissions(
            tuple(
                Denied(one["EvalActionName"], one.get("EvalResourceName", "*"), one["EvalDecision"])
                for one in results
                if one["EvalDecision"] != "allowed"
            )
        )
