from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud import Aws

pytestmark = pytest.mark.cloud
CROWD = 8


def group_with_rules(ec2: Any, name: str, count: int) -> tuple[str, list[str]]:
    """One call a rule, several at once, as Terraform makes them."""
    group: str = ec2.create_security_group(GroupName=name, Description=name)["GroupId"]

    def allow(port: int) -> str:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        made = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])["SecurityGroupRules"]
        return str(made[0]["SecurityGroupRuleId"])

    with ThreadPoolExecutor(CROWD) as pool:
        return group, list(pool.map(allow, range(1000, 1000 + count)))


def rules_of(ec2: Any, group: str) -> int:
    filters = [{"Name": "group-id", "Values": [group]}]
    found = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return sum(not rule["IsEgress"] for rule in found)


def test_a_rule_revoked_twice_is_said_to_be_gone_as_aws_says_it(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    group, (rule,) = group_with_rules(ec2, "twice", 1)
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    with pytest.raises(ClientError) as caught:
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])
    assert caught.value.response["Error"]["Code"] == "InvalidSecurityGroupRuleId.NotFound"


def test_rules_revoked_at_the_same_time_are_all_gone(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    group, rules = group_with_rules(ec2, "crowd", 40)

    def revoke(rule: str) -> None:
        ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])

    assert rules_of(ec2, group) == len(rules)
    with ThreadPoolExecutor(CROWD) as pool:
        list(pool.map(revoke, rules))
    assert rules_of(ec2, group) == 0


def test_each_kind_of_rule_can_be_modified(aws: Aws) -> None:
    """Terraform does so with the default rule of a group that it has imported: only the description differs."""
    ec2 = aws.client("ec2")
    group, other = (ec2.create_security_group(GroupName=name, Description=name)["GroupId"] for name in ("one", "two"))
    tcp = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    everyone = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ipv6 = {**tcp, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    another = {**tcp, "UserIdGroupPairs": [{"GroupId": group}]}
    made = [
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[one])["SecurityGroupRules"]
        for one in (everyone, ipv6, another)
    ]
    ids = {_source(rule): rule["SecurityGroupRuleId"] for (rule,) in made}
    wanted = {
        ids["0.0.0.0/0"]: {"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/8", "Description": "ours"},
        ids["::/0"]: {**tcp, "FromPort": 80, "CidrIpv6": "fd00::/8"},
        ids[group]: {**tcp, "ReferencedGroupId": other},
    }
    changes = [{"SecurityGroupRuleId": rule, "SecurityGroupRule": told} for rule, told in wanted.items()]
    ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=changes)

    pages = ec2.get_paginator("describe_security_group_rules")
    rules = pages.paginate(SecurityGroupRuleIds=list(wanted)).build_full_result()["SecurityGroupRules"]
    seen = {_source(one): one for one in rules}
    assert seen.keys() == {"10.0.0.0/8", "fd00::/8", other}
    assert (seen["10.0.0.0/8"]["IpProtocol"], seen["10.0.0.0/8"]["Description"]) == ("-1", "ours")
    assert (seen["fd00::/8"]["FromPort"], seen["fd00::/8"]["ToPort"]) == (80, 443)

    without_ports = {"SecurityGroupRuleId": ids[group], "SecurityGroupRule": {"IpProtocol": "tcp", "CidrIpv4": "::/0"}}
    with pytest.raises(ClientError, match="Must specify both from and to ports with TCP/UDP"):
        ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[without_ports])


def _source(rule: dict[str, Any]) -> str:
    found = rule.get("CidrIpv4") or rule.get("CidrIpv6") or rule["ReferencedGroupInfo"]["GroupId"]
    return str(found)


def test_the_default_vpc_leads_out(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    [table] = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["RouteTables"]
    out = [one["GatewayId"] for one in table["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
    [gateway] = ec2.describe_internet_gateways(InternetGatewayIds=out)["InternetGateways"]
    assert [one["VpcId"] for one in gateway["Attachments"]] == [vpc["VpcId"]]


def test_what_is_asked_for_by_a_tag_has_it(aws: Aws) -> None:
    """Of each kind that a stack has: only those, though others are there."""
    ec2 = aws.client("ec2")

    def made(kind: str, create: Any, **given: Any) -> Any:
        """Two of it, one with the tag."""
        create(**given)
        return create(**given, TagSpecifications=[{"ResourceType": kind, "Tags": [{"Key": "Stack", "Value": "mine"}]}])

    made("vpc", ec2.create_vpc, CidrBlock="10.7.0.0/16")
    mine = [{"Name": "tag:Stack", "Values": ["mine"]}]
    (vpc,) = (one["VpcId"] for one in ec2.describe_vpcs(Filters=mine)["Vpcs"])
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")["Subnet"]
    for number, tagged in enumerate((False, True)):
        tags = [{"Key": "Stack", "Value": "mine"}] if tagged else [{"Key": "Stack", "Value": "theirs"}]
        made_here = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{number + 1}.0/24")["Subnet"]["SubnetId"]
        ec2.create_tags(Resources=[made_here], Tags=tags)
    made("internet-gateway", ec2.create_internet_gateway)
    made("route-table", ec2.create_route_table, VpcId=vpc)
    made("elastic-ip", ec2.allocate_address, Domain="vpc")
    made("natgateway", ec2.create_nat_gateway, SubnetId=subnet["SubnetId"], ConnectivityType="private")
    made("volume", ec2.create_volume, Size=1, AvailabilityZone=subnet["AvailabilityZone"])
    (volume,) = (one["VolumeId"] for one in ec2.describe_volumes(Filters=mine)["Volumes"])
    made("snapshot", ec2.create_snapshot, VolumeId=volume)
    made("vpc-endpoint", ec2.create_vpc_endpoint, VpcId=vpc, ServiceName="com.amazonaws.us-west-2.s3")
    for operation, key in {
        "describe_vpcs": "Vpcs",
        "describe_subnets": "Subnets",
        "describe_internet_gateways": "InternetGateways",
        "describe_route_tables": "RouteTables",
        "describe_addresses": "Addresses",
        "describe_nat_gateways": "NatGateways",
        "describe_volumes": "Volumes",
        "describe_snapshots": "Snapshots",
        "describe_vpc_endpoints": "VpcEndpoints",
    }.items():
        found = getattr(ec2, operation)(Filters=mine)[key]
        assert [one["Tags"] for one in found] == [[{"Key": "Stack", "Value": "mine"}]], operation
