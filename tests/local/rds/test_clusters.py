"""A DB cluster has one server for all its instances, AWS's states and AWS's refusals; our adapters see it so."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from orchestrator.aws.db_clusters import ClusterSnapshots, DbClusters
from orchestrator.aws.protection import Protection
from orchestrator.aws.rds import CLUSTER
from orchestrator.errors import Transient
from tests.local.local_cloud import Aws, LocalCloud
from tests.waiting import CLOSELY, until

pytestmark = pytest.mark.cloud

PASSWORD = "first-stand-in-password"
NAME = "shop-aurora"


class Aurora:
    """One cluster, through the API and through its server."""

    def __init__(self, cloud: LocalCloud, rds: Any, name: str) -> None:
        self.cloud, self.rds, self.name = cloud, rds, name
        self.seen = DbClusters(self.rds)

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_clusters(DBClusterIdentifier=self.name)["DBClusters"][0]
        return found

    def member(self, name: str) -> str:
        found = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
        return str(found["DBInstanceStatus"])

    def add(self, name: str, engine: str = "aurora-postgresql") -> None:
        self.rds.create_db_instance(
            DBInstanceIdentifier=name, DBInstanceClass="db.t4g.medium", Engine=engine, DBClusterIdentifier=self.name
        )

    def until(self, status: str) -> None:
        """As our adapter sees it: the cluster's word, and its writer's."""
        until(f"it is {status}", lambda: self.seen.server(self.name).status == status, often=CLOSELY)

    def connect(self, password: str = PASSWORD) -> psycopg.Connection[Any]:
        """By the writer endpoint, whose name is on the certificate."""
        host = self.described()["Endpoint"]
        ip, _, port = self.cloud.ask("status")["addresses"][host].partition(":")
        return psycopg.connect(
            host=host,
            hostaddr=ip,
            port=int(port),
            user="shop_admin",
            password=password,
            dbname="shop",
            sslmode="verify-full",
            sslrootcert=self.cloud.env["ORCHESTRATE_CA_FILE"],
            autocommit=True,
            connect_timeout=5,
        )


def created(cloud: LocalCloud, aws: Aws, name: str, engine: str = "aurora-postgresql", **more: Any) -> Aurora:
    one = Aurora(cloud, aws.client("rds"), name)
    begun = one.rds.create_db_cluster(
        DBClusterIdentifier=name,
        Engine=engine,
        MasterUsername="shop_admin",
        MasterUserPassword=PASSWORD,
        DatabaseName="shop",
        StorageEncrypted=True,
        Tags=[{"Key": "Stack", "Value": "shop"}],
        **more,
    )
    assert begun["DBCluster"]["Status"] == "creating"
    return one


@pytest.fixture(scope="module")
def aurora(cloud: LocalCloud, aws: Aws) -> Aurora:
    made = created(cloud, aws, NAME, DeletionProtection=True)
    until("the cluster is available", lambda: made.described()["Status"] == "available", often=CLOSELY)
    assert made.seen.server(NAME).status == "without-writer", "a cluster without instances serves nobody"
    made.add("shop-1")
    made.add("shop-2")
    made.until("available")
    until("the reader is available", lambda: made.member("shop-2") == "available", often=CLOSELY)
    return made


def test_the_writer_endpoint_leads_to_the_one_server_of_the_cluster(aurora: Aurora) -> None:
    server = aurora.seen.server(NAME)
    assert (server.kind, server.writer, server.size, server.multi_az) == (CLUSTER, "shop-1", "db.t4g.medium", True)
    assert (server.host, server.port) == (aurora.described()["Endpoint"], 5432)
    assert server.tags == {"Stack": "shop"}
    assert server.unstoppable == ""
    with aurora.connect() as session:
        session.execute("CREATE TABLE orders (id int)")
    known = aurora.cloud.ask("status")["addresses"]
    assert known[server.host] == known[aurora.described()["ReaderEndpoint"]]


def test_what_is_not_there_has_no_status(aurora: Aurora) -> None:
    assert aurora.seen.server("nobody").status == ""
    assert ClusterSnapshots(aurora.rds).find("nobody").status == ""
    assert aurora.seen.newest_snapshot("nobody") is None


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda rds: rds.stop_db_instance(DBInstanceIdentifier="shop-1"), "InvalidParameterCombination"),
        (lambda rds: rds.start_db_instance(DBInstanceIdentifier="shop-1"), "InvalidParameterCombination"),
        (
            lambda rds: rds.create_db_snapshot(DBInstanceIdentifier="shop-1", DBSnapshotIdentifier="one"),
            "InvalidParameterValue",
        ),
        (lambda rds: rds.start_db_cluster(DBClusterIdentifier=NAME), "InvalidDBClusterStateFault"),
        (
            lambda rds: rds.delete_db_cluster(DBClusterIdentifier=NAME, SkipFinalSnapshot=True),
            "InvalidParameterCombination",
        ),
    ],
)
def test_what_aws_refuses_is_refused(aurora: Aurora, call: Any, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        call(aurora.rds)
    assert refused.value.response["Error"]["Code"] == code


def test_the_cluster_stops_as_a_whole_keeps_its_data_and_takes_nothing_meanwhile(aurora: Aurora) -> None:
    aurora.seen.stop(NAME)
    assert aurora.member("shop-1") in ("stopping", "stopped")
    with pytest.raises(Transient):
        aurora.seen.stop(NAME)
    aurora.until("stopped")
    assert aurora.seen.server(NAME).restarts is not None, "RDS starts it after seven days"
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        aurora.rds.create_db_cluster_snapshot(DBClusterIdentifier=NAME, DBClusterSnapshotIdentifier="no")
    with pytest.raises(ClientError, match="InvalidDBClusterStateFault"):
        aurora.rds.modify_db_cluster(DBClusterIdentifier=NAME, DeletionProtection=False)
    with pytest.raises(psycopg.OperationalError):
        aurora.connect()
    assert aurora.member("shop-2") == "stopped"
    aurora.seen.start(NAME)
    aurora.until("available")
    with aurora.connect() as session:
        session.execute("INSERT INTO orders VALUES (1)")


def test_a_snapshot_holds_what_was_there_and_a_new_cluster_begins_with_it(aurora: Aurora) -> None:
    with aurora.connect() as session:
        session.execute("CREATE TABLE kept (id int)")
    snapshots = ClusterSnapshots(aurora.rds)
    aurora.cloud.ask("faults", "POST", name="snapshot-hangs", tenant="")
    try:
        snapshots.take(NAME, "shop-20260101-000000", {"orchestrate:stack": "shop"})
        snapshots.take(NAME, "shop-20260101-000000", {"orchestrate:stack": "shop"})  # a second time is none
        assert snapshots.find("shop-20260101-000000").status == "creating"
        with pytest.raises(ClientError, match="InvalidDBClusterSnapshotStateFault"):
            restore(aurora, "early")
    finally:
        aurora.cloud.ask("faults", "DELETE")
    snapshots.delete("shop-20260101-000000")
    snapshots.take(NAME, "shop-20260101-000000", {"orchestrate:stack": "shop"})
    until("it is taken", lambda: snapshots.find("shop-20260101-000000").status == "available", often=CLOSELY)
    found = snapshots.find("shop-20260101-000000")
    assert (found.instance, found.encrypted, found.tags) == (NAME, True, {"orchestrate:stack": "shop"})
    assert ":cluster-snapshot:" in found.arn
    newest = aurora.seen.newest_snapshot(NAME)
    assert newest is not None
    assert newest.name == found.name
    with aurora.connect() as session:
        session.execute("DROP TABLE kept")
    again = restore(aurora, "shop-again")
    until("the cluster is available", lambda: again.described()["Status"] == "available", often=CLOSELY)
    again.add("again-1")
    again.until("available")
    with again.connect() as session:
        assert session.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    snapshots.delete(found.name)
    snapshots.delete(found.name)  # a second time is none


def restore(aurora: Aurora, name: str) -> Aurora:
    aurora.rds.restore_db_cluster_from_snapshot(
        DBClusterIdentifier=name, SnapshotIdentifier="shop-20260101-000000", Engine="aurora-postgresql"
    )
    return Aurora(aurora.cloud, aurora.rds, name)


def test_its_deletion_is_allowed_by_its_own_call_and_its_instances_go_first(aurora: Aurora, aws: Aws) -> None:
    protection = Protection(aurora.rds, aws.client("elbv2"))
    assert protection.seen(NAME, "", CLUSTER).database
    protection.release_database(NAME, CLUSTER)
    until("it is modified", lambda: not protection.seen(NAME, "", CLUSTER).changing, often=CLOSELY)
    assert not protection.seen(NAME, "", CLUSTER).database
    with pytest.raises(ClientError, match="still contains DB instances"):
        aurora.rds.delete_db_cluster(DBClusterIdentifier=NAME, SkipFinalSnapshot=True)


def test_a_multi_az_cluster_is_never_stopped(cloud: LocalCloud, aws: Aws) -> None:
    one = created(cloud, aws, "shop-multi", engine="postgres", DBClusterInstanceClass="db.m6gd.large")
    until("the cluster is available", lambda: one.described()["Status"] == "available", often=CLOSELY)
    assert one.seen.server("shop-multi").unstoppable == "RDS can't stop a Multi-AZ DB cluster"
    with pytest.raises(ClientError, match="InvalidParameterCombination"):
        one.rds.stop_db_cluster(DBClusterIdentifier="shop-multi")
