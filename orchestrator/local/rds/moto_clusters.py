"""RDS clusters (Aurora, Multi-AZ): they take their time, and have a server once they have an instance.

moto: a cluster is available at its first read, stops and starts at once, without its instances; an instance of it may
be stopped and snapshotted by itself; nothing is refused for its state; each has a configuration of serverless v1.

AWS: every change takes its time and shows it in the status, the instances' too. Only Aurora is stopped, as a whole
(StopDBCluster; of its instances InvalidParameterCombination), and started again after seven days. Snapshots are the
cluster's alone. What needs a cluster that runs is refused otherwise (InvalidDBClusterStateFault). Left out: failover,
global databases, serverless v1, point-in-time recovery, and what a stopped cluster's storage costs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.rds.exceptions import InvalidDBClusterStateFault, InvalidParameterCombination, InvalidParameterValue
from moto.rds.models import DBCluster, DBInstance, DBSnapshot, RDSBackend

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.rds import cluster_server
from orchestrator.local.rds.moto import RESTART, STAYS_STOPPED

CREATE_SECONDS = 60.0
MODIFY_SECONDS = 30.0
STOP_SECONDS = 180.0
START_SECONDS = 240.0
DELETE_SECONDS = 60.0


class Clusters:
    """What happens to a cluster over time, and to its instances and server."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def created(self, cluster: DBCluster) -> None:
        """`creating` → `available`, with or without instances."""
        self._pass_through(cluster, "creating", CREATE_SECONDS, "available")

    def changed(self, cluster: DBCluster, asked: dict[str, Any]) -> None:
        """`modifying` → `available`; a new master password counts at once."""
        if asked.get("master_user_password") and self._cloud.databases and cluster_server.is_made(cluster):
            name, master = cluster_server.name_of(cluster), str(cluster.master_username)
            self._cloud.databases.set_password(name, master, str(cluster._master_user_password))
        self._pass_through(cluster, "modifying", MODIFY_SECONDS, "available")

    def stopping(self, cluster: DBCluster) -> None:
        """`stopping` → `stopped`, every instance with it. After seven days RDS starts it again."""
        setattr(cluster, RESTART, None)
        self._pass_through(cluster, "stopping", STOP_SECONDS, "stopped", self._stopped)

    def starting(self, cluster: DBCluster) -> None:
        """`starting` → `available`, every instance with it."""
        setattr(cluster, RESTART, None)
        self._pass_through(cluster, "starting", START_SECONDS, "available", self._started)

    def deleting(self, backend: RDSBackend, cluster: DBCluster) -> None:
        """`deleting`, then gone: DBClusterNotFoundFault."""
        backend.clusters[cluster.db_cluster_identifier] = cluster
        cluster.status = "deleting"

        def end() -> None:
            cluster_server.delete(self._cloud, cluster)
            if backend.clusters.get(cluster.db_cluster_identifier) is cluster:
                del backend.clusters[cluster.db_cluster_identifier]

        self._cloud.after(DELETE_SECONDS, end)

    def _stopped(self, cluster: DBCluster) -> None:
        cluster_server.end(self._cloud, cluster)
        pace = self._cloud.pace
        restart = pace.now() + timedelta(seconds=pace.scaled(STAYS_STOPPED))
        setattr(cluster, RESTART, restart)

        def start() -> None:
            if cluster.status == "stopped" and getattr(cluster, RESTART) is restart:
                self.starting(cluster)

        self._cloud.after(STAYS_STOPPED, start)

    def _started(self, cluster: DBCluster) -> None:
        for member in cluster.members[:1]:
            cluster_server.serve(self._cloud, member)

    def _pass_through(
        self,
        cluster: DBCluster,
        during: str,
        seconds: float,
        then: str,
        work: Callable[[DBCluster], None] = lambda _cluster: None,
    ) -> None:
        _say(cluster, during)

        def end() -> None:
            if cluster.status == during:
                work(cluster)
                _say(cluster, then)

        self._cloud.after(seconds, end)


def _say(cluster: DBCluster, status: str) -> None:
    """The cluster's status, and its instances' where it is theirs too."""
    cluster.status = status
    if status in ("stopping", "stopped", "starting") or (status == "available" and _rests(cluster)):
        for member in cluster.members:
            member.status = status


def _rests(cluster: DBCluster) -> bool:
    return any(member.status in ("stopped", "starting") for member in cluster.members)


def install(cloud: Cloud) -> None:
    """Clusters take their time; wrong states are refused, and what only a cluster can do is refused of its members."""
    clusters = Clusters(cloud)
    replace(DBCluster, status=property(lambda self: self._status, lambda self, value: setattr(self, "_status", value)))
    _correct_life(clusters)
    _correct_changes(clusters)
    _correct_members()
    _correct_attributes()


def _correct_life(clusters: Clusters) -> None:
    create, delete = RDSBackend.create_db_cluster, RDSBackend.delete_db_cluster

    def create_db_cluster(self: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
        snapshot = kwargs.pop(cluster_server.RESTORED_FROM, "")
        cluster = create(self, kwargs)
        setattr(cluster, cluster_server.RESTORED_FROM, snapshot)
        clusters.created(cluster)
        return cluster

    def delete_db_cluster(self: RDSBackend, cluster_identifier: str, snapshot_name: str | None = None) -> DBCluster:
        known = self.clusters.get(cluster_identifier)
        if known is not None and known.status == "deleting":
            raise InvalidDBClusterStateFault(f"DBCluster {cluster_identifier} is already being deleted.")
        cluster = delete(self, cluster_identifier, snapshot_name)
        clusters.deleting(self, cluster)
        return cluster

    replace(RDSBackend, create_db_cluster=create_db_cluster, delete_db_cluster=delete_db_cluster)


def refuse_unless_available(cluster: DBCluster) -> None:
    """As AWS does for what needs a cluster that runs."""
    if cluster.status != "available":
        message = f"DbCluster {cluster.db_cluster_identifier} is in {cluster.status} state but expected available."
        raise InvalidDBClusterStateFault(message)


def _correct_changes(clusters: Clusters) -> None:
    modify, stop, start = RDSBackend.modify_db_cluster, RDSBackend.stop_db_cluster, RDSBackend.start_db_cluster

    def modify_db_cluster(self: RDSBackend, kwargs: dict[str, Any]) -> DBCluster:
        (known,) = self.describe_db_clusters(kwargs["db_cluster_identifier"])
        refuse_unless_available(known)
        modify(self, dict(kwargs))
        clusters.changed(known, kwargs)
        return known

    def stop_db_cluster(self: RDSBackend, cluster_identifier: str) -> DBCluster:
        (known,) = self.describe_db_clusters(cluster_identifier)
        if not known.engine.startswith("aurora"):
            raise InvalidParameterCombination("Multi-AZ DB clusters are not eligible for stopping and starting.")
        refuse_unless_available(known)
        stop(self, cluster_identifier)
        clusters.stopping(known)
        return known

    def start_db_cluster(self: RDSBackend, cluster_identifier: str) -> DBCluster:
        (known,) = self.describe_db_clusters(cluster_identifier)
        start(self, cluster_identifier)
        clusters.starting(known)
        return known

    replace(
        RDSBackend,
        modify_db_cluster=modify_db_cluster,
        stop_db_cluster=stop_db_cluster,
        start_db_cluster=start_db_cluster,
    )


def _correct_attributes() -> None:
    """Only serverless v1 scales so: of others moto shows a configuration of nothing, which Terraform wants gone."""
    shown: property = DBCluster.__dict__["scaling_configuration_info"]

    def scaling(self: DBCluster) -> dict[str, Any] | None:
        return shown.__get__(self) if self.engine_mode == "serverless" else None

    replace(DBCluster, scaling_configuration_info=property(scaling))


def _correct_members() -> None:
    stop, start, take = RDSBackend.stop_db_instance, RDSBackend.start_db_instance, RDSBackend.create_db_snapshot

    def refuse(self: RDSBackend, instance: str) -> None:
        known = self.databases.get(instance)
        if known is not None and cluster_server.cluster_of(known) is not None:
            message = f"{known.engine} DB instances are not eligible for stopping and starting."
            raise InvalidParameterCombination(message)

    def stop_db_instance(self: RDSBackend, db_instance_identifier: str, snapshot: str | None = None) -> DBInstance:
        refuse(self, db_instance_identifier)
        return stop(self, db_instance_identifier, snapshot)

    def start_db_instance(self: RDSBackend, db_instance_identifier: str) -> DBInstance:
        refuse(self, db_instance_identifier)
        return start(self, db_instance_identifier)

    def create_db_snapshot(self: RDSBackend, db_instance_identifier: str, *names: Any, **options: Any) -> DBSnapshot:
        known = self.databases.get(db_instance_identifier)
        by_hand = "automated" not in (*names, options.get("snapshot_type"))
        if by_hand and known is not None and cluster_server.cluster_of(known) is not None:
            raise InvalidParameterValue(
                "The specified instance is a member of a cluster and a snapshot cannot be created directly. "
                "Please use the CreateDBClusterSnapshot API instead."
            )
        return take(self, db_instance_identifier, *names, **options)

    replace(
        RDSBackend,
        stop_db_instance=stop_db_instance,
        start_db_instance=start_db_instance,
        create_db_snapshot=create_db_snapshot,
    )
