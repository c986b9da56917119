"""Replication groups have members, states and AUTH tokens; load balancers have a name of their own: as AWS does."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud import Aws
from tests.waiting import until

pytestmark = pytest.mark.cloud


class Group:
    def __init__(self, aws: Aws) -> None:
        self.cache = aws.client("elasticache")

    def described(self) -> dict[str, Any]:
        answer = self.cache.describe_replication_groups(ReplicationGroupId="onyx-prod-redis")
        found: dict[str, Any] = answer["ReplicationGroups"][0]
        return found

    def set_token(self, token: str, strategy: str) -> None:
        self.cache.modify_replication_group(
            ReplicationGroupId="onyx-prod-redis",
            AuthToken=token,
            AuthTokenUpdateStrategy=strategy,
            ApplyImmediately=True,
        )
        until("it is available", lambda: self.described()["Status"] == "available")


@pytest.fixture(scope="module")
def group(aws: Aws) -> Group:
    made = Group(aws)
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    made.cache.create_cache_subnet_group(
        CacheSubnetGroupName="onyx", CacheSubnetGroupDescription="onyx", SubnetIds=subnets
    )
    answer = made.cache.create_replication_group(
        ReplicationGroupId="onyx-prod-redis",
        ReplicationGroupDescription="onyx",
        NumCacheClusters=1,
        CacheNodeType="cache.t4g.small",
        Engine="redis",
        CacheSubnetGroupName="onyx",
        TransitEncryptionEnabled=True,
    )
    assert answer["ReplicationGroup"]["Status"] == "creating"
    until("it is available", lambda: made.described()["Status"] == "available")
    return made


def test_who_asks_for_no_version_gets_one(group: Group) -> None:
    members = group.cache.describe_cache_clusters()["CacheClusters"]
    assert {member["EngineVersion"] for member in members} == {"7.1.0"}


def test_its_members_can_be_described_in_the_clouds_region(group: Group) -> None:
    (member,) = group.described()["MemberClusters"]
    (cluster,) = group.cache.describe_cache_clusters(CacheClusterId=member)["CacheClusters"]
    assert cluster["ReplicationGroupId"] == "onyx-prod-redis"
    assert cluster["PreferredAvailabilityZone"] == "us-west-2a"
    endpoint = group.described()["NodeGroups"][0]["PrimaryEndpoint"]
    assert endpoint["Address"].endswith(".usw2.cache.amazonaws.com")


def test_a_token_is_rotated_in_then_set(group: Group) -> None:
    assert group.described()["AuthTokenEnabled"] is False
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        group.set_token("a" * 16, "SET")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        group.set_token("short", "ROTATE")
    group.set_token("a" * 16, "ROTATE")
    group.set_token("a" * 16, "SET")
    assert group.described()["AuthTokenEnabled"] is True


def test_its_subnet_group_is_kept_while_in_use_and_goes_after_it(group: Group) -> None:
    with pytest.raises(ClientError, match="CacheSubnetGroupInUse"):
        group.cache.delete_cache_subnet_group(CacheSubnetGroupName="onyx")
    answer = group.cache.delete_replication_group(ReplicationGroupId="onyx-prod-redis")
    assert answer["ReplicationGroup"]["Status"] == "deleting"
    until("it is gone", lambda: not group.cache.describe_replication_groups()["ReplicationGroups"])
    assert group.cache.describe_cache_clusters()["CacheClusters"] == []
    group.cache.delete_cache_subnet_group(CacheSubnetGroupName="onyx")
    assert group.cache.describe_cache_subnet_groups()["CacheSubnetGroups"] == []


def is_active(elb: Any) -> bool:
    """The load balancer."""
    (found,) = elb.describe_load_balancers(Names=["onyx-prod-alb"])["LoadBalancers"]
    return bool(found["State"]["Code"] == "active")


def test_a_load_balancer_made_again_has_another_name_and_needs_its_time(aws: Aws) -> None:
    elb = aws.client("elbv2")
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"][:2]]
    names = []
    for _ in range(2):
        (made,) = elb.create_load_balancer(Name="onyx-prod-alb", Subnets=subnets)["LoadBalancers"]
        assert made["State"]["Code"] == "provisioning"
        names.append(made["DNSName"])
        until("it is active", partial(is_active, elb))
        elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert all(re.fullmatch(r"onyx-prod-alb-\d{10}\.us-west-2\.elb\.amazonaws\.com", name) for name in names)
    assert names[0] != names[1]
