"""Which role an instance acts in: that of its profile, as moto's EC2 and IAM hold them."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition


def role_of(account: str, region: str, instance_id: str) -> Any | None:
    """The role of moto's that the instance acts in; None: it has none, or there is no such instance."""
    found = (one for one in ec2_backends[account][region].all_instances() if one.id == instance_id)
    return next((role_in_profile(account, one) for one in found), None)


def role_in_profile(account: str, instance: Any) -> Any | None:
    """The role in the instance's profile, given at launch or associated later."""
    iam = iam_backends[account][get_partition(instance.ec2_backend.region_name)]
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    given = instance.iam_instance_profile or {}
    for profile in iam.get_instance_profiles():
        named = profile.name == given.get("Name") or profile.arn == given.get("Arn")
        if named or (association and association.iam_instance_profile.arn == profile.arn):
            return profile.roles[0] if profile.roles else None
    return None
