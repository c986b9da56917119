"""RDS: what state the database server is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of


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
