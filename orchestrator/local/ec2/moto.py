"""EC2: a security group's rule that is gone, a subnet that is full, and NAT gateways asked for by their tags.

moto answers `InvalidPermission.NotFound` when a rule is revoked by an id that does not exist (any more). AWS answers
`InvalidSecurityGroupRuleId.NotFound`, which Terraform's provider takes for "already deleted": so it must, when a
revocation is sent again because its answer got lost.

moto gives instances addresses that tasks may have, and answers 500 when a subnet has none left. AWS gives a free one,
or answers `InsufficientFreeAddressesInSubnet`.

moto refuses to modify a rule for all protocols that names no ports, and takes over neither an IPv6 range, nor a prefix
list, nor a group. AWS wants ports with TCP and UDP alone, and takes over all of them.

moto passes over a filter by tags in DescribeNatGateways, and answers with those of every stack.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError, InvalidPermissionNotFoundError
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend
from moto.ec2.models.subnets import Subnet
from moto.ec2.utils import is_tag_filter, tag_filter_matches

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ec2.subnet import NO_ADDRESS, lowest_address

_ANY_PORT = {"FromPort": -1, "ToPort": -1}


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


def _taken_over(modify: Callable[..., None]) -> Callable[..., None]:
    def modified(backend: Any, group_id: str, rules: Mapping[str, Mapping[str, Any]]) -> None:
        for rule_id, wanted in rules.items():
            everything = wanted.get("IpProtocol") == "-1"
            modify(backend, group_id, {rule_id: {**wanted, **(_ANY_PORT if everything else {})}})
            rule = backend.get_security_group_by_name_or_id(group_id).get_rule(rule_id)
            if everything:
                rule.from_port = rule.to_port = None
            if "CidrIpv6" in wanted:
                rule.ip_range["CidrIpv6"] = wanted["CidrIpv6"]
            if "ReferencedGroupId" in wanted:
                rule.source_group = {**rule.source_group, "GroupId": wanted["ReferencedGroupId"]}
            rule.prefix_list_id = wanted.get("PrefixListId", rule.prefix_list_id)

    return modified


def _by_tags(describe: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    def described(backend: Any, filters: Mapping[str, list[str]] | None, *arguments: Any) -> list[Any]:
        wanted = {name: values for name, values in (filters or {}).items() if is_tag_filter(name)}
        found = describe(backend, filters, *arguments)
        return [one for one in found if all(tag_filter_matches(one, name, wanted[name]) for name in wanted)]

    return described


def install(_cloud: Cloud) -> None:
    """Rules in both directions and their changes; addresses; tags of NAT gateways."""
    replace(Subnet, get_available_subnet_ip=_available)
    replace(NatGatewayBackend, describe_nat_gateways=_by_tags(NatGatewayBackend.describe_nat_gateways))
    replace(
        SecurityGroupBackend,
        modify_security_group_rules=_taken_over(SecurityGroupBackend.modify_security_group_rules),
        revoke_security_group_ingress=_in_awss_words(SecurityGroupBackend.revoke_security_group_ingress),
        revoke_security_group_egress=_in_awss_words(SecurityGroupBackend.revoke_security_group_egress),
    )
