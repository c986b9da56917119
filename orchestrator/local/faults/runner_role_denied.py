"""The role of the instances lost the policy that their SSM agents register with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, instances, meddled


def _detach(console: Console) -> Iterator[Undo]:
    iam, answer = console.client("iam"), console.client("ec2").describe_instances(InstanceIds=instances(console))
    profiles = {one["IamInstanceProfile"]["Arn"] for some in answer["Reservations"] for one in some["Instances"]}
    for profile in sorted(profiles):
        named = iam.get_instance_profile(InstanceProfileName=profile.rsplit("/", 1)[-1])["InstanceProfile"]
        for role in named["Roles"]:
            name = role["RoleName"]
            for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                if policy["PolicyName"] == "AmazonSSMManagedInstanceCore":
                    given = {"RoleName": name, "PolicyArn": policy["PolicyArn"]}
                    iam.detach_role_policy(**given)
                    yield partial(iam.attach_role_policy, **given)


FAULT = meddled(
    "runner-role-denied",
    "the role of the instances may not register with SSM",
    "Terraform Destroy/Apply Cycle",
    _detach,
    per_tenant=False,
    restarts=False,
)
