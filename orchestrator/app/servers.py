"""The adapter for a stack's kind of database server: an RDS instance, a cluster, or none of RDS's."""

from __future__ import annotations

from orchestrator.aws.db_clusters import ClusterSnapshots, DbClusters
from orchestrator.aws.db_servers import DbServers
from orchestrator.aws.elsewhere import Elsewhere, NoSnapshots
from orchestrator.aws.rds import Rds
from orchestrator.aws.session import Aws
from orchestrator.aws.snapshots import DbSnapshots
from orchestrator.stack.contract import Database

Snapshots = DbSnapshots | ClusterSnapshots | NoSnapshots


def servers_of(database: Database, aws: Aws) -> DbServers:
    """Who knows the state of this server."""
    if database.cluster:
        return DbClusters(aws.client("rds"))
    return Rds(aws.client("rds")) if database.instance else Elsewhere()


def snapshots_of(database: Database, aws: Aws) -> Snapshots:
    """Who knows the snapshots of this server."""
    if database.cluster:
        return ClusterSnapshots(aws.client("rds"))
    return DbSnapshots(aws.client("rds")) if database.instance else NoSnapshots()
