"""Load balancers: a name of their own, and a time of provisioning.

moto: the DNS name of `onyx-prod-alb` is always `onyx-prod-alb-1.<region>…`, and it is active at its
first read. AWS: each load balancer gets a new number, and is `provisioning` for some minutes.
"""

from __future__ import annotations

import secrets
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeLoadBalancer

from orchestrator.local.cloud import Cloud
from orchestrator.local.corrections import replace

PROVISION_SECONDS = 120.0
HOSTED_ZONE = "Z1H1FL5HABSF5"
"""Of application load balancers in us-west-2 (AWS's table of Elastic Load Balancing endpoints)."""


def install(cloud: Cloud) -> None:
    """A new name for each load balancer; `active` comes with time, not with reading."""
    create = ELBv2Backend.create_load_balancer

    def create_load_balancer(self: ELBv2Backend, name: str, *rest: Any, **options: Any) -> FakeLoadBalancer:
        balancer = create(self, name, *rest, **options)
        number = 10**9 + secrets.randbelow(10**9)
        internal = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{internal}{name}-{number}.{self.region_name}.elb.amazonaws.com"
        balancer.canonical_hosted_zone_id = HOSTED_ZONE

        def become_active() -> None:
            balancer.state = "active"

        cloud.after(PROVISION_SECONDS, become_active)
        return balancer

    def activate(_self: FakeLoadBalancer) -> None:
        """Reading changes nothing."""

    replace(ELBv2Backend, create_load_balancer=create_load_balancer)
    replace(FakeLoadBalancer, activate=activate)
