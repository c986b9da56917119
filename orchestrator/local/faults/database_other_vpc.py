"""The database server was moved to a subnet group of another VPC."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.local.core.cloud import REGION
from orchestrator.local.faults.manual_changes import Console, Undo, meddled

NAME = "elsewhere"


def _move(console: Console) -> Iterator[Undo]:
    ec2, rds = console.client("ec2"), console.client("rds")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    yield partial(ec2.delete_vpc, VpcId=vpc)
    subnets = [_subnet(ec2, vpc, number) for number in (0, 1)]
    for subnet in subnets:
        yield partial(ec2.delete_subnet, SubnetId=subnet)
    group = {"DBSubnetGroupName": NAME, "DBSubnetGroupDescription": NAME}
    rds.create_db_subnet_group(**group, SubnetIds=subnets)
    yield partial(rds.delete_db_subnet_group, DBSubnetGroupName=NAME)
    for one in rds.describe_db_instances()["DBInstances"]:
        change = partial(
            rds.modify_db_instance, DBInstanceIdentifier=one["DBInstanceIdentifier"], ApplyImmediately=True
        )
        change(DBSubnetGroupName=NAME)
        yield partial(change, DBSubnetGroupName=one["DBSubnetGroup"]["DBSubnetGroupName"])


def _subnet(ec2: Any, vpc: str, number: int) -> str:
    zone = f"{REGION}{'ab'[number]}"
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)
    return str(made["Subnet"]["SubnetId"])


FAULT = meddled(
    "database-other-vpc",
    "the database server is in another VPC",
    "Database Issues",
    _move,
    per_tenant=False,
    restarts=False,
)
