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


def test_the_default_vpc_leads_out(aws: Aws) -> None:
    ec2 = aws.client("ec2")
    [vpc] = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    [table] = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["RouteTables"]
    out = [one["GatewayId"] for one in table["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
    [gateway] = ec2.describe_internet_gateways(InternetGatewayIds=out)["InternetGateways"]
    assert [one["VpcId"] for one in gateway["Attachments"]] == [vpc["VpcId"]]
