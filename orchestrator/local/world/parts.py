"""The clients a world is built with, and what its parts tell each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from orchestrator.local.core.caller import OBSERVER


@dataclass(frozen=True, slots=True)
class WorldClients:
    """One client of each service we build with."""

    acm: Any
    ec2: Any
    ecs: Any
    elasticache: Any
    elbv2: Any
    iam: Any
    logs: Any
    rds: Any
    route53: Any
    s3: Any
    secretsmanager: Any
    sts: Any

    @classmethod
    def of(cls, session: boto3.Session, endpoint: str | None) -> WorldClients:
        """All clients of a session; they cost most of what building a world costs.

        They bear the observer's mark: whoever takes a world down must see all of it.
        """
        make: Any = session.client
        config = Config(user_agent_extra=OBSERVER)
        return cls(**{service: make(service, endpoint_url=endpoint, config=config) for service in cls.__slots__})


@dataclass(frozen=True, slots=True)
class WorldNetwork:
    """Ids of the VPC, its subnets and, by part of the stack, its security groups."""

    vpc: str
    public: list[str]
    private: list[str]
    groups: dict[str, str]


@dataclass(frozen=True, slots=True)
class PlacedBalancer:
    """A load balancer as the contract has it, and the ARN of its HTTPS listener."""

    part: dict[str, str]
    listener: str


@dataclass(frozen=True, slots=True)
class Shared:
    """What all tenants of a stack share, by the names the rest needs."""

    name: str
    region: str
    network: WorldNetwork
    database_host: str
    redis_host: str
    redis_secret: str
    bucket: str
    cluster: str
    execution_role: str
    instance_profile: str
    balancers: tuple[PlacedBalancer, ...]
    certificate: str
    log_prefix: str

    @property
    def environment(self) -> str:
        """`prod` of `onyx-prod`: it tells two stacks of one account apart."""
        return self.name.rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class Customer:
    """A tenant before anything of it is there. `slot` decides its Redis databases and its rule's priority."""

    name: str
    slot: int
    hostname: str

    @property
    def database(self) -> str:
        """The name of its database and of its role."""
        return f"onyx_{self.name.replace('-', '_')}"


@dataclass(frozen=True, slots=True)
class SeedSnapshots:
    """What a world begins with: an RDS snapshot, and an EBS snapshot for each tenant's index. Empty: with nothing."""

    database: str = ""
    indexes: Mapping[str, str] = field(default_factory=dict)


NO_SNAPSHOTS = SeedSnapshots()
