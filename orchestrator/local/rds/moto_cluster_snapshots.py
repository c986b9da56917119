"""Snapshots of RDS clusters: they take their time, hold the data of the server, and a new cluster begins with them.

moto: as for instances (moto_snapshots.py). AWS: `creating`, with a percentage, then `available`; refused unless the
cluster runs (InvalidDBClusterStateFault), and until one is available nothing can be restored from it
(InvalidDBClusterSnapshotStateFault). A cluster that is restored has no instances: its data are to be reached once
it has. Left out: as for instances.
"""

from __future__ import annotations

from typing import Any

from moto.rds.exceptions import InvalidDBClusterSnapshotStateFault
from moto.rds.models import DBCluster, DBClusterSnapshot, RDSBackend

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.rds import cluster_server
from orchestrator.local.rds.moto_clusters import refuse_unless_available
from orchestrator.local.rds.moto_snapshots import come_along


def install(cloud: Cloud) -> None:
    """Take, restore, forget."""
    take, restore, delete = (
        RDSBackend.create_db_cluster_snapshot,
        RDSBackend.restore_db_cluster_from_snapshot,
        RDSBackend.delete_db_cluster_snapshot,
    )

    def create_db_cluster_snapshot(
        self: RDSBackend, db_cluster_identifier: str, *names: Any, **options: Any
    ) -> DBClusterSnapshot:
        by_hand = "automated" not in (*names, options.get("snapshot_type"))
        known = self.clusters.get(db_cluster_identifier)
        if by_hand and known is not None:
            refuse_unless_available(known)
        snapshot = take(self, db_cluster_identifier, *names, **options)
        if by_hand and known is not None:
            _begin(cloud, known, snapshot)
        return snapshot

    def restore_db_cluster_from_snapshot(
        self: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]
    ) -> DBCluster:
        name = from_snapshot_id.rpartition(":")[2]
        snapshot = self.get_db_cluster_snapshot(name)
        if snapshot.status != "available":
            raise InvalidDBClusterSnapshotStateFault(f"{name} is {snapshot.status}")
        return restore(self, name, {**overrides, cluster_server.RESTORED_FROM: name})

    def delete_db_cluster_snapshot(self: RDSBackend, db_snapshot_identifier: str) -> DBClusterSnapshot:
        snapshot = delete(self, db_snapshot_identifier)
        if cloud.databases:
            cloud.databases.forget(cluster_server.kept_as(snapshot.db_cluster_snapshot_identifier))
        return snapshot

    replace(
        RDSBackend,
        create_db_cluster_snapshot=create_db_cluster_snapshot,
        restore_db_cluster_from_snapshot=restore_db_cluster_from_snapshot,
        delete_db_cluster_snapshot=delete_db_cluster_snapshot,
    )


def _begin(cloud: Cloud, cluster: DBCluster, snapshot: Any) -> None:
    if cloud.databases and cluster_server.is_made(cluster):
        kept = cluster_server.kept_as(snapshot.db_cluster_snapshot_identifier)
        cloud.databases.snapshot(cluster_server.name_of(cluster), kept)
    come_along(cloud, snapshot)
