"""EC2: a security group's rule that is gone, and a subnet that is full.

moto answers `InvalidPermission.NotFound` when a rule is revoked by an id that does not exist (any more). AWS answers
`InvalidSecurityGroupRuleId.NotFound`, which Terraform's provider takes for "already deleted": so it must, when a
revocation is sent again because its answer got lost.

moto gives instances addresses that tasks may have, and answers 500 when a subnet has none left. AWS gives a free one,
or answers `InsufficientFreeAddressesInSubnet`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidPermissionNotFoundError
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import Subnet

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ec2.subnet import NO_ADDRESS, lowest_address


class RuleNotFoundError(EC2ClientError):
    """The code and the words of AWS."""

    def __init__(self, rule_ids: list[str]) -> None:
        message = f"The security group rule ID '{', '.join(rule_ids)}' does not exist"
        super().__init__("InvalidSecurityGroupRuleId.NotFound", message)


def _in_awss_words(revoke: Callable[..., None]) -> Callable[..., None]:
    def revoked(backend: Any, *arguments: Any, security_rule_ids: list[str] | None = None, **more: Any) -> None:
        try:
            revoke(backend, *arguments, security_rule_ids=security_rule_ids, **more)
        except InvalidPermissionNotFoundError:
            if security_rule_ids:
                raise RuleNotFoundError(security_rule_ids) from None
            raise

    return revoked


class SubnetFullError(EC2ClientError):
    """The code and the words of AWS."""

    def __init__(self, subnet: str) -> None:
        message = (
            f"There are not enough free addresses in subnet '{subnet}' to satisfy the requested number of instances."
        )
        super().__init__(NO_ADDRESS, message)


def _available(subnet: Subnet, instance: Any) -> str:
    address = lowest_address(subnet.ec2_backend, subnet)
    if not address:
        raise SubnetFullError(subnet.id)
    subnet.request_ip(address, instance)
    return address


def install(_cloud: Cloud) -> None:
    """Rules in both directions; addresses."""
    replace(Subnet, get_available_subnet_ip=_available)
    replace(
        SecurityGroupBackend,
        revoke_security_group_ingress=_in_awss_words(SecurityGroupBackend.revoke_security_group_ingress),
        revoke_security_group_egress=_in_awss_words(SecurityGroupBackend.revoke_security_group_egress),
    )
