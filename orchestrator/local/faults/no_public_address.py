"""The tasks run in the public subnets and get no public address."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, change_service, meddled


def _move(console: Console) -> Iterator[Undo]:
    ec2, service = console.client("ec2"), console.services()[0]
    network = service["networkConfiguration"]["awsvpcConfiguration"]
    vpc = ec2.describe_subnets(SubnetIds=network["subnets"])["Subnets"][0]["VpcId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    public = [
        one["SubnetId"]
        for table in tables
        for one in table["Associations"]
        if one.get("SubnetId") and any(str(route.get("GatewayId")).startswith("igw-") for route in table["Routes"])
    ]
    yield from change_service(console, networkConfiguration={"awsvpcConfiguration": {**network, "subnets": public}})


FAULT = meddled(
    "no-public-address", "the tasks get no public address", "ECS Task Troubleshooting", _move, restarts=False
)
