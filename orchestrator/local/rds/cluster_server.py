"""The PostgreSQL server behind a DB cluster: one for all its instances, which share the cluster's storage.

It is made with the first instance: until then AWS's endpoint leads nowhere. Left out: readers' lag, failover, and that
an instance's own name is on its certificate (the cluster's endpoints are).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from moto.rds.models import DBCluster, DBInstance, DBInstanceClustered

from orchestrator.local.core.cloud import Address, Cloud, DatabaseServers

_SERVER = "server_behind_it"
_CHANGING = threading.Lock()
"""Held while a server is made, started or ended: a cluster's instances come up at the same time."""
RESTORED_FROM = "restored_from"
"""Of a cluster: the snapshot whose data it begins with. Ours, not AWS's."""
POSTGRES = frozenset({"aurora-postgresql", "postgres"})


def name_of(cluster: DBCluster) -> str:
    """What its server is called: an instance may be called as the cluster is."""
    return f"cluster:{cluster.db_cluster_identifier}"


def kept_as(snapshot: str) -> str:
    """What its data are called: an instance's snapshot may be called as a cluster's is."""
    return f"cluster:{snapshot}"


def cluster_of(instance: DBInstance) -> DBCluster | None:
    """The cluster that it is a member of."""
    return instance.cluster if isinstance(instance, DBInstanceClustered) else None


@dataclass(slots=True)
class _Server:
    address: Address
    runs: bool = True


def _server_of(cluster: DBCluster) -> _Server | None:
    found = getattr(cluster, _SERVER, None)
    return found if isinstance(found, _Server) else None


def is_made(cluster: DBCluster) -> bool:
    """Whether it has a server, running or not."""
    return _server_of(cluster) is not None


def serve(cloud: Cloud, instance: DBInstance) -> None:
    """The server of the instance's cluster answers at the cluster's endpoints and at the instance's name."""
    cluster, servers = cluster_of(instance), cloud.databases
    if cluster is None or servers is None or cluster.engine not in POSTGRES:
        return
    with _CHANGING:
        known = _server_of(cluster)
        if known is None:
            known = _Server(_made(servers, cluster))
            setattr(cluster, _SERVER, known)
        elif not known.runs:
            known.address, known.runs = servers.start(name_of(cluster)), True
    for host in (cluster.endpoint, cluster.reader_endpoint, instance.address):
        cloud.addresses.publish(host, known.address)


def _made(servers: DatabaseServers, cluster: DBCluster) -> Address:
    if snapshot := getattr(cluster, RESTORED_FROM, ""):
        return servers.restore(name_of(cluster), cluster.endpoint, kept_as(snapshot))
    return servers.create(
        name_of(cluster),
        cluster.endpoint,
        master=str(cluster.master_username),
        password=str(cluster._master_user_password),
        database=cluster.database_name,
    )


def end(cloud: Cloud, cluster: DBCluster) -> None:
    """It no longer answers; its data stay."""
    with _CHANGING:
        known = _server_of(cluster)
        if cloud.databases and known and known.runs:
            cloud.databases.stop(name_of(cluster))
            known.runs = False


def delete(cloud: Cloud, cluster: DBCluster) -> None:
    """It and its data are gone, and its endpoints lead nowhere."""
    if cloud.databases:
        cloud.databases.delete(name_of(cluster))
    for host in (cluster.endpoint, cluster.reader_endpoint):
        cloud.addresses.withdraw(host)
