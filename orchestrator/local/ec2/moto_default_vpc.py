"""EC2: the default VPC leads out.

moto's default VPC has subnets and nothing else. AWS's has an internet gateway, and its main route table leads there:
otherwise a stack in the default VPC could pull no image.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.vpcs import VPCBackend

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ec2.reach import ANYWHERE


def install(_cloud: Cloud) -> None:
    """For every region's."""
    made = VPCBackend.create_default_vpc

    def with_gateway(backend: Any) -> Any:
        vpc = made(backend)
        gateway = backend.create_internet_gateway()
        backend.attach_internet_gateway(gateway.id, vpc.id)
        [table] = [one for one in backend.route_tables.values() if one.vpc_id == vpc.id]
        backend.create_route(table.id, ANYWHERE, gateway_id=gateway.id)
        return vpc

    replace(VPCBackend, create_default_vpc=with_gateway)
