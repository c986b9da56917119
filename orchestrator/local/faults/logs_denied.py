"""The execution role lost AWS's own policy for it: it may pull no private image and write no log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _detach(console: Console) -> Iterator[Undo]:
    iam = console.client("iam")
    for role in {made["executionRoleArn"].rsplit("/", 1)[-1] for made in console.definitions()}:
        for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            given = {"RoleName": role, "PolicyArn": policy["PolicyArn"]}
            iam.detach_role_policy(**given)
            yield partial(iam.attach_role_policy, **given)


FAULT = meddled(
    "logs-denied", "the execution role may not write logs", "Prevention Checklist", _detach, per_tenant=False
)
