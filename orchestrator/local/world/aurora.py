"""The database server as an Aurora cluster with one instance, in place of an RDS instance."""

from __future__ import annotations

from typing import Any

from orchestrator.local.core.waiting import eventually
from orchestrator.local.world.foundation import ADMIN, before_a_server, tags
from orchestrator.local.world.parts import WorldClients, WorldNetwork

_SECONDS = 60.0
ENGINE = {"Engine": "aurora-postgresql", "EngineVersion": "16.8"}


def aurora_server(aws: WorldClients, name: str, network: WorldNetwork, snapshot: str = "") -> tuple[str, str]:
    """The ARN of the admin's secret, and the address of the cluster's writer."""
    arn, password = before_a_server(aws, name, network)
    cluster = f"{name}-postgres"
    common = {
        "DBClusterIdentifier": cluster,
        "DBSubnetGroupName": f"{name}-postgres",
        "VpcSecurityGroupIds": [network.groups["postgres"]],
        "Tags": tags(name),
        **ENGINE,
    }
    if snapshot:
        aws.rds.restore_db_cluster_from_snapshot(SnapshotIdentifier=snapshot, **common)
    else:
        credentials = {"MasterUsername": ADMIN, "MasterUserPassword": password}
        aws.rds.create_db_cluster(StorageEncrypted=True, BackupRetentionPeriod=7, **credentials, **common)
    add_writer(aws.rds, cluster, tags(name))
    if snapshot:
        # Its admin password is the snapshot's at first: the new secret's is set as soon as RDS takes it.
        wait_until_available(aws.rds, cluster)
        aws.rds.modify_db_cluster(DBClusterIdentifier=cluster, MasterUserPassword=password, ApplyImmediately=True)
    return arn, str(_described(aws.rds, cluster)["Endpoint"])


def add_writer(rds: Any, cluster: str, labels: list[dict[str, str]]) -> None:
    """A cluster's data are reached through its instances."""
    rds.create_db_instance(
        DBInstanceIdentifier=f"{cluster}-1",
        DBClusterIdentifier=cluster,
        DBInstanceClass="db.t4g.medium",
        Engine=ENGINE["Engine"],
        PubliclyAccessible=False,
        Tags=labels,
    )


def wait_until_available(rds: Any, cluster: str) -> None:
    """The cluster, and its writer."""
    eventually(lambda: _described(rds, cluster)["Status"] == "available", _SECONDS)
    eventually(lambda: _writer_status(rds, cluster) == "available", _SECONDS)


def _described(rds: Any, cluster: str) -> dict[str, Any]:
    found: dict[str, Any] = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    return found


def _writer_status(rds: Any, cluster: str) -> str:
    found = rds.describe_db_instances(DBInstanceIdentifier=f"{cluster}-1")["DBInstances"]
    return str(found[0]["DBInstanceStatus"]) if found else ""
