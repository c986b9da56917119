"""What a role may do with a bucket, by the policies that Terraform's state has: their text, evaluated as IAM would.

Left out: conditions (a statement with one counts as it stands), boundaries, service control policies, the bucket's own
policy. A managed policy that is not in the state counts only when it is AWS's for S3.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from orchestrator.aws.iam import Denied, Permissions
from orchestrator.checklist.facts import known
from orchestrator.checklist.model import Evidence
from orchestrator.stack.blueprint.references import referrers, targets
from orchestrator.stack.blueprint.resources import Resource

EVERYTHING = {"AmazonS3FullAccess", "AdministratorAccess", "PowerUserAccess"}


def permissions(evidence: Evidence, definition: Resource, actions: Sequence[str], resource: str) -> Permissions:
    """What the definition's task role may not do of these. Raises `NotKnown` while a policy's text is not known."""
    roles = targets(evidence.blueprint, definition, "aws_iam_role", "task_role_arn").any
    if not roles:
        return Permissions()  # a role from elsewhere: the running stack is asked, by the doctor
    statements = list(_statements(evidence, roles[0]))
    decided = {action: _decision(statements, action, resource) for action in actions}
    return Permissions(tuple(Denied(action, resource, word) for action, word in decided.items() if word != "allowed"))


def _statements(evidence: Evidence, role: Resource) -> Iterator[Mapping[str, Any]]:
    blueprint = evidence.blueprint
    for one in referrers(blueprint, role, "aws_iam_role_policy", "role").any:
        yield from _parsed(known(one, "policy"))
    for inline in role.blocks("inline_policy"):
        yield from _parsed(inline.get("policy"))
    for one in referrers(blueprint, role, "aws_iam_role_policy_attachment", "role").any:
        if one.text("policy_arn").rpartition("/")[2] in EVERYTHING:
            yield {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        for policy in targets(blueprint, one, "aws_iam_policy", "policy_arn").any:
            yield from _parsed(known(policy, "policy"))


def _parsed(text: Any) -> Iterator[Mapping[str, Any]]:
    try:
        said = json.loads(text)
    except (TypeError, ValueError):
        return
    found = said.get("Statement", ()) if isinstance(said, Mapping) else ()
    yield from (one for one in (found if isinstance(found, list) else [found]) if isinstance(one, Mapping))


def _decision(statements: list[Mapping[str, Any]], action: str, resource: str) -> str:
    met = [
        one
        for one in statements
        if _matches(one.get("Action"), action, fold=True) and _matches(one.get("Resource"), resource, fold=False)
    ]
    if any(one.get("Effect") == "Deny" for one in met):
        return "explicitDeny"
    return "allowed" if any(one.get("Effect") == "Allow" for one in met) else "implicitDeny"


def _matches(patterns: Any, word: str, *, fold: bool) -> bool:
    said = patterns if isinstance(patterns, list) else [patterns]
    texts = [one for one in said if isinstance(one, str)]
    return any(fnmatchcase(word.lower(), one.lower()) if fold else fnmatchcase(word, one) for one in texts)
