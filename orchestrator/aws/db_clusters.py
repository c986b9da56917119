"""RDS clusters, Aurora and Multi-AZ: what state one is in, its snapshots, and starting and stopping it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items, one
from orchestrator.aws.rds import CLUSTER, ServerState, Tagging, TakenSnapshot, refusal
from orchestrator.aws.session import code_of, problem_of, translated
from orchestrator.aws.snapshots import DbSnapshot, described

GONE = "DBClusterNotFoundFault"
_MISSING, _THERE = "DBClusterSnapshotNotFoundFault", "DBClusterSnapshotAlreadyExistsFault"
WITHOUT_WRITER = "without-writer"


class DbClusters(Tagging):
    """DB clusters through a boto3 `rds` client; to its callers a cluster is a server like another."""

    def server(self, cluster: str) -> ServerState:
        """The cluster's state now, with its writer's: a call for each."""
        found = self._found(cluster)
        if found is None:
            return ServerState(cluster, kind=CLUSTER)
        members = self._members(cluster)
        writers = {it["DBInstanceIdentifier"] for it in found.get("DBClusterMembers", ()) if it.get("IsClusterWriter")}
        writer = next((it for it in members if it["DBInstanceIdentifier"] in writers), {})
        status = found["Status"]
        if status == "available":
            status = writer.get("DBInstanceStatus", WITHOUT_WRITER)
        return ServerState(
            cluster,
            status,
            found.get("Endpoint", ""),
            found.get("Port", 0),
            size=writer.get("DBInstanceClass", "") or found.get("DBClusterInstanceClass", ""),
            vpc=writer.get("DBSubnetGroup", {}).get("VpcId", ""),
            groups=tuple(it["VpcSecurityGroupId"] for it in found.get("VpcSecurityGroups", ())),
            public=bool(writer.get("PubliclyAccessible")),
            arn=found.get("DBClusterArn", ""),
            tags={it["Key"]: it.get("Value", "") for it in found.get("TagList", ())},
            replicas=tuple(found.get("ReadReplicaIdentifiers", ())),
            restarts=found.get("AutomaticRestartTime"),
            multi_az=len(members) > 1,
            kind=CLUSTER,
            writer=writer.get("DBInstanceIdentifier", ""),
            kept_up=_kept_up(found),
            key=found.get("KmsKeyId", ""),
        )

    def _found(self, cluster: str) -> Mapping[str, Any] | None:
        try:
            return one(self._client, "describe_db_clusters", "DBClusters", DBClusterIdentifier=cluster)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == GONE:
                return None
            raise problem_of(error, "rds:DescribeDBClusters") from None

    def _members(self, cluster: str) -> list[Mapping[str, Any]]:
        wanted = [{"Name": "db-cluster-id", "Values": [cluster]}]
        with translated("rds:DescribeDBInstances"):
            return list(items(self._client, "describe_db_instances", "DBInstances", Filters=wanted))

    def stop(self, cluster: str) -> None:
        """Begin to stop it, with all its instances. Raises `Transient` when it is in a state in which RDS doesn't."""
        self._change(self._client.stop_db_cluster, cluster, "rds:StopDBCluster")

    def start(self, cluster: str) -> None:
        """Begin to start it. Raises `Transient` when it is in a state in which RDS doesn't."""
        self._change(self._client.start_db_cluster, cluster, "rds:StartDBCluster")

    def newest_snapshot(self, cluster: str) -> TakenSnapshot | None:
        """The newest finished snapshot of the cluster, made by hand or by RDS; None: there is none."""
        with translated("rds:DescribeDBClusterSnapshots"):
            every = items(
                self._client, "describe_db_cluster_snapshots", "DBClusterSnapshots", DBClusterIdentifier=cluster
            )
            raws = [it for it in every if it.get("Status") == "available" and it.get("SnapshotCreateTime")]
        taken = [
            TakenSnapshot(it["DBClusterSnapshotIdentifier"], it["SnapshotCreateTime"], it.get("SnapshotType", ""))
            for it in raws
        ]
        return max(taken, key=lambda it: it.taken, default=None)

    def _change(self, call: Callable[..., Any], cluster: str, doing: str) -> None:
        try:
            call(DBClusterIdentifier=cluster)
        except (ClientError, BotoCoreError) as error:
            raise refusal(error, cluster, doing) from None


def _kept_up(found: Mapping[str, Any]) -> str:
    """StopDBCluster is Aurora's alone, and not of every Aurora (Aurora user guide, "Stopping and starting")."""
    if not found.get("Engine", "").startswith("aurora"):
        return "RDS can't stop a Multi-AZ DB cluster"
    if found.get("EngineMode") == "serverless":
        return "Aurora Serverless v1 can't be stopped: it pauses by itself"
    if found.get("GlobalClusterIdentifier"):
        return f"RDS can't stop a cluster of a global database ({found['GlobalClusterIdentifier']})"
    return ""


class ClusterSnapshots:
    """Snapshots of clusters through a boto3 `rds` client: those of their instances RDS refuses."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> DbSnapshot:
        """As it is now."""
        try:
            found = one(
                self._client, "describe_db_cluster_snapshots", "DBClusterSnapshots", DBClusterSnapshotIdentifier=name
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) == _MISSING:
                return DbSnapshot(name)
            raise problem_of(error, "rds:DescribeDBClusterSnapshots") from None
        if found is None:
            return DbSnapshot(name)
        return described(name, found, "Cluster")

    def take(self, cluster: str, name: str, tags: Mapping[str, str]) -> None:
        """Begin it; nothing when it has begun already."""
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        try:
            self._client.create_db_cluster_snapshot(
                DBClusterIdentifier=cluster, DBClusterSnapshotIdentifier=name, Tags=pairs
            )
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != _THERE:
                raise problem_of(error, "rds:CreateDBClusterSnapshot") from None

    def delete(self, name: str) -> None:
        """It is gone; nothing when it was."""
        try:
            self._client.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != _MISSING:
                raise problem_of(error, "rds:DeleteDBClusterSnapshot") from None
