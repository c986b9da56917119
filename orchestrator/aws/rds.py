"""RDS: what state the database server is in, and starting and stopping it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items, one
from orchestrator.aws.rds_statuses import OUTAGES, Outage
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.errors import OrchestratorError, Problem, Transient

INSTANCE, CLUSTER, ELSEWHERE = "instance", "cluster", "elsewhere"
"""Kinds of servers: RDS's two, and those that aren't RDS's."""
_OTHER_STATE = frozenset(
    {
        "InvalidDBInstanceState",
        "InvalidDBInstanceStateFault",
        "InvalidDBClusterStateFault",
    }
)
_NO_CAPACITY = frozenset({"InsufficientDBInstanceCapacity", "InsufficientDBInstanceCapacityFault"})


@dataclass(frozen=True, slots=True)
class ServerState:
    """One database server. `status` is RDS's word (creating, available, stopped …); empty: RDS has no such server.

    Of a cluster that is available it is the writer's word, `without-writer` where it has none.
    """

    instance: str
    """What RDS calls it: the instance, or the cluster."""
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
    arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    replicas: tuple[str, ...] = ()
    """Its read replicas, or what it is a replica of: RDS stops neither."""
    restarts: datetime | None = None
    """When RDS will start a stopped one by itself."""
    multi_az: bool = False
    kind: str = INSTANCE
    writer: str = ""
    """A cluster's instance that writes."""
    kept_up: str = ""
    """Why RDS never stops a server like this; empty: it does."""
    key: str = ""
    """The KMS key of its storage (ARN); empty: its storage is not encrypted."""

    @property
    def machine(self) -> str:
        """The instance whose class, load and network count."""
        return self.writer or self.instance

    @property
    def words(self) -> str:
        """Its kind, as RDS's users say it."""
        return {INSTANCE: "DB instance", CLUSTER: "DB cluster"}.get(self.kind, "database server")

    def command(self, verb: str) -> str:
        """AWS's command line for it: `start` → `aws rds start-db-cluster --db-cluster-identifier NAME`."""
        noun = "db-cluster" if self.kind == CLUSTER else "db-instance"
        return f"aws rds {verb}-{noun} --{noun}-identifier {self.instance}"

    @property
    def outage(self) -> Outage:
        """What its status says, and what brings the server back, in words that are about this server."""
        found = OUTAGES[self.status]
        return replace(
            found,
            fix=found.fix.format(
                name=self.machine,
                start=self.command("start"),
                events=self.events,
                more=max(self.storage + 20, round(self.storage * 1.5)),
                key=self.key or "KEY",
            ),
        )

    @property
    def events(self) -> str:
        """AWS's command line for what RDS noted about it."""
        source = "db-cluster" if self.kind == CLUSTER else "db-instance"
        return f"aws rds describe-events --source-type {source} --source-identifier {self.instance}"

    @property
    def unstoppable(self) -> str:
        """Why RDS doesn't stop it; empty: it does."""
        if self.replicas:
            return f"RDS can't stop a {self.words.removeprefix('DB ')} with read replicas ({', '.join(self.replicas)})"
        return self.kept_up


@dataclass(frozen=True, slots=True)
class TakenSnapshot:
    """A snapshot that can be restored from. `kind` is RDS's word (`manual`, `automated`)."""

    name: str
    taken: datetime
    kind: str = ""


class Tagging:
    """Tags of RDS's servers, instances and clusters alike, through a boto3 `rds` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def tag(self, arn: str, key: str, value: str) -> None:
        """Set one tag."""
        with translated("rds:AddTagsToResource"):
            self._client.add_tags_to_resource(ResourceName=arn, Tags=[{"Key": key, "Value": value}])

    def untag(self, arn: str, key: str) -> None:
        """Take one tag away."""
        with translated("rds:RemoveTagsFromResource"):
            self._client.remove_tags_from_resource(ResourceName=arn, TagKeys=[key])


class Rds(Tagging):
    """DB instances through a boto3 `rds` client."""

    def server(self, instance: str) -> ServerState:
        """The instance's state now."""
        try:
            found = one(self._client, "describe_db_instances", "DBInstances", DBInstanceIdentifier=instance)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("DBInstanceNotFound", "DBInstanceNotFoundFault"):
                return ServerState(instance)
            raise problem_of(error, "rds:DescribeDBInstances") from None
        if found is None:
            return ServerState(instance)
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
            arn=found.get("DBInstanceArn", ""),
            tags={one["Key"]: one.get("Value", "") for one in found.get("TagList", ())},
            replicas=_replicas(found),
            restarts=found.get("AutomaticRestartTime"),
            multi_az=bool(found.get("MultiAZ")),
            key=found.get("KmsKeyId", ""),
        )

    def stop(self, instance: str) -> None:
        """Begin to stop it. Raises `Transient` when it is in a state in which RDS doesn't."""
        self._change(self._client.stop_db_instance, instance, "rds:StopDBInstance")

    def start(self, instance: str) -> None:
        """Begin to start it. Raises `Transient` when RDS has no capacity, or it is in a state in which RDS doesn't."""
        self._change(self._client.start_db_instance, instance, "rds:StartDBInstance")

    def newest_snapshot(self, instance: str) -> TakenSnapshot | None:
        """The newest finished snapshot of the instance, made by hand or by RDS; None: there is none."""
        with translated("rds:DescribeDBSnapshots"):
            every = items(self._client, "describe_db_snapshots", "DBSnapshots", DBInstanceIdentifier=instance)
            raws = [one for one in every if one.get("Status") == "available"]
        taken = [
            TakenSnapshot(one["DBSnapshotIdentifier"], one["SnapshotCreateTime"], one.get("SnapshotType", ""))
            for one in raws
            if one.get("SnapshotCreateTime")
        ]
        return max(taken, key=lambda one: one.taken, default=None)

    def _change(self, call: Callable[..., Any], instance: str, doing: str) -> None:
        try:
            call(DBInstanceIdentifier=instance)
        except (ClientError, BotoCoreError) as error:
            raise refusal(error, instance, doing) from None


def _replicas(found: Mapping[str, Any]) -> tuple[str, ...]:
    source = found.get("ReadReplicaSourceDBInstanceIdentifier")
    return (*found.get("ReadReplicaDBInstanceIdentifiers", ()), *((source,) if source else ()))


def refusal(error: Exception, instance: str, doing: str) -> OrchestratorError:
    """Why RDS doesn't start or stop it: for now, or for good."""
    code = code_of(error)
    if code in _OTHER_STATE:
        return Transient(Problem("database-server-busy", f"RDS refuses for now: {error}", instance, "wait"))
    if code in _NO_CAPACITY:
        fix = "wait, or give it another instance class or zone in Terraform"
        return Transient(Problem("database-no-capacity", f"RDS has no capacity: {error}", instance, fix))
    return problem_of(error, doing)
