"""RDS: what state the database server is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of, translated


@dataclass(frozen=True, slots=True)
class ServerState:
    """One DB instance. `status` is RDS's word (creating, available, stopped …); empty: there is no such instance."""

    instance: str
    status: str = ""
    host: str = ""
    port: int = 0
    size: str = ""
    """Its class, as db.t4g.small."""
    vpc: str = ""
    groups: tuple[str, ...] = ()
    public: bool = False
    storage: int = 0
    """GiB allocated."""


@dataclass(frozen=True, slots=True)
class TakenSnapshot:
    """A snapshot that can be restored from. `kind` is RDS's word (`manual`, `automated`)."""

    name: str
    taken: datetime
    kind: str = ""


class Rds:
    """Reads DB instances through a boto3 `rds` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def server(self, instance: str) -> ServerState:
        """The instance's state now."""
        try:
            answer = self._client.describe_db_instances(DBInstanceIdentifier=instance)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                return ServerState(instance)
            raise problem_of(error, "rds:DescribeDBInstances") from None
        found = answer["DBInstances"][0]
        endpoint = found.get("Endpoint", {})
        return ServerState(
            instance,
            found["DBInstanceStatus"],
            endpoint.get("Address", ""),
            endpoint.get("Port", 0),
            size=found.get("DBInstanceClass", ""),
            vpc=found.get("DBSubnetGroup", {}).get("VpcId", ""),
            groups=tuple(one["VpcSecurityGroupId"] for one in found.get("VpcSecurityGroups", ())),
            public=bool(found.get("PubliclyAccessible")),
            storage=found.get("AllocatedStorage", 0),
        )

    def newest_snapshot(self, instance: str) -> TakenSnapshot | None:
        """The newest finished snapshot of the instance, made by hand or by RDS; None: there is none."""
        with translated("rds:DescribeDBSnapshots"):
            pages = self._client.get_paginator("describe_db_snapshots").paginate(DBInstanceIdentifier=instance)
            raws = [one for page in pages for one in page["DBSnapshots"] if one.get("Status") == "available"]
        taken = [
            TakenSnapshot(one["DBSnapshotIdentifier"], one["SnapshotCreateTime"], one.get("SnapshotType", ""))
            for one in raws
            if one.get("SnapshotCreateTime")
        ]
        return max(taken, key=lambda one: one.taken, default=None)
