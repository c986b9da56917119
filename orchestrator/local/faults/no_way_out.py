"""The private subnets lost their default route: nothing outside can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled

EVERYWHERE = "0.0.0.0/0"


def _cut(console: Console) -> Iterator[Undo]:
    ec2 = console.client("ec2")
    for table in ec2.describe_route_tables()["RouteTables"]:
        for route in table["Routes"]:
            if route.get("DestinationCidrBlock") == EVERYWHERE and route.get("NatGatewayId"):
                given = {"RouteTableId": table["RouteTableId"], "DestinationCidrBlock": EVERYWHERE}
                ec2.delete_route(**given)
                yield partial(ec2.create_route, **given, NatGatewayId=route["NatGatewayId"])


FAULT = meddled(
    "no-way-out", "the tasks' subnets have no default route", "ECS Task Troubleshooting", _cut, per_tenant=False
)
