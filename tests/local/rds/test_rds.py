"""An RDS instance has a real server: TLS by name, a master user that is no superuser, and AWS's states."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from tests.local.local_cloud import Aws, LocalCloud
from tests.waiting import until

pytestmark = pytest.mark.cloud

PASSWORD = "first-stand-in-password"
SPEC: dict[str, Any] = {
    "DBInstanceClass": "db.t4g.small",
    "Engine": "postgres",
    "AllocatedStorage": 20,
    "MasterUsername": "onyx_root",
}


class Database:
    """One instance, through the API and through its server."""

    def __init__(self, cloud: LocalCloud, aws: Aws, name: str) -> None:
        self.cloud, self.rds, self.name = cloud, aws.client("rds"), name

    def create(self, **more: Any) -> dict[str, Any]:
        """What AWS answers: the state that it begins in may be over before anybody looks."""
        made: dict[str, Any] = self.rds.create_db_instance(DBInstanceIdentifier=self.name, **SPEC, **more)["DBInstance"]
        return made

    def described(self) -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_instances(DBInstanceIdentifier=self.name)["DBInstances"][0]
        return found

    def until(self, status: str) -> None:
        until(f"it is {status}", lambda: self.described()["DBInstanceStatus"] == status)

    def until_gone(self) -> None:
        def gone() -> bool:
            try:
                self.described()
            except self.rds.exceptions.DBInstanceNotFoundFault:
                return True
            return False

        until("it is gone", gone)

    def host(self) -> str:
        return str(self.described()["Endpoint"]["Address"])

    def connect(self, password: str = PASSWORD, database: str = "postgres") -> psycopg.Connection[Any]:
        """By the name on its certificate, checked, at the address the cloud says."""
        host = self.host()
        ip, _, port = self.cloud.ask("status")["addresses"][host].partition(":")
        return psycopg.connect(
            host=host,
            hostaddr=ip,
            port=int(port),
            user="onyx_root",
            password=password,
            dbname=database,
            sslmode="verify-full",
            sslrootcert=self.cloud.env["ORCHESTRATE_CA_FILE"],
            autocommit=True,
            connect_timeout=5,
        )


@pytest.fixture(scope="module")
def database(cloud: LocalCloud, aws: Aws) -> Database:
    made = Database(cloud, aws, "onyx-prod-postgres")
    first = made.create(MasterUserPassword=PASSWORD, DBName="onyx", EnablePerformanceInsights=True)
    assert first["DBInstanceStatus"] == "creating"
    assert "Endpoint" not in first
    made.until("available")
    return made


def test_the_server_is_real_and_its_certificate_names_the_instance(database: Database) -> None:
    with database.connect(database="onyx") as connection:
        row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
    assert row == (True,)


def test_an_unencrypted_connection_is_refused_as_rds_does(database: Database) -> None:
    port = int(database.cloud.env["PGPORT"])
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(host="127.0.0.1", port=port, user="onyx_root", password=PASSWORD, sslmode="disable")


def test_the_master_user_is_no_superuser_but_makes_databases_and_roles(database: Database) -> None:
    with database.connect() as connection:
        query = "SELECT rolsuper, rolcreatedb, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert connection.execute(query).fetchone() == (False, True, True)
        connection.execute("CREATE ROLE onyx_customer_z LOGIN")
        connection.execute("GRANT onyx_customer_z TO onyx_root")
        connection.execute("CREATE DATABASE onyx_customer_z OWNER onyx_customer_z TEMPLATE template0")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("ALTER SYSTEM SET work_mem = '64MB'")


def test_what_moto_forgets_is_there(database: Database, cloud: LocalCloud, aws: Aws) -> None:
    assert database.described()["PerformanceInsightsEnabled"] is True
    other = Database(cloud, aws, "other")
    other.create(MasterUserPassword=PASSWORD)
    assert other.described()["DbiResourceId"] != database.described()["DbiResourceId"]
    other.until("available")
    addresses = cloud.ask("status")["addresses"]
    assert addresses[other.host()] != addresses[database.host()]


def test_a_new_master_password_counts(database: Database) -> None:
    database.rds.modify_db_instance(
        DBInstanceIdentifier=database.name, MasterUserPassword="second-stand-in", ApplyImmediately=True
    )
    database.until("available")
    with database.connect("second-stand-in"):
        pass
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        database.connect(PASSWORD)
    database.rds.modify_db_instance(
        DBInstanceIdentifier=database.name, MasterUserPassword=PASSWORD, ApplyImmediately=True
    )
    database.until("available")


def test_a_stopped_instance_keeps_its_data_and_refuses_changes(database: Database) -> None:
    with database.connect(database="onyx") as connection:
        connection.execute("CREATE TABLE kept (n int)")
    answer = database.rds.stop_db_instance(DBInstanceIdentifier=database.name)
    assert answer["DBInstance"]["DBInstanceStatus"] == "stopping"
    database.until("stopped")
    with pytest.raises(psycopg.OperationalError):
        database.connect()
    refused: tuple[Callable[[], Any], ...] = (
        lambda: database.rds.modify_db_instance(DBInstanceIdentifier=database.name, AllocatedStorage=30),
        lambda: database.rds.create_db_snapshot(DBInstanceIdentifier=database.name, DBSnapshotIdentifier="s"),
        lambda: database.rds.stop_db_instance(DBInstanceIdentifier=database.name),
    )
    for change in refused:
        with pytest.raises(ClientError, match="InvalidDBInstanceState"):
            change()
    answer = database.rds.start_db_instance(DBInstanceIdentifier=database.name)
    assert answer["DBInstance"]["DBInstanceStatus"] == "starting"
    database.until("available")
    with database.connect(database="onyx") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_managed_password_is_the_servers_and_changes_when_rotated(cloud: LocalCloud, aws: Aws) -> None:
    managed = Database(cloud, aws, "managed")
    managed.create(ManageMasterUserPassword=True)
    managed.until("available")
    secret = managed.described()["MasterUserSecret"]["SecretArn"]

    def password() -> str:
        return str(
            json.loads(aws.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"])["password"]
        )

    before = password()
    with managed.connect(before):
        pass
    managed.rds.modify_db_instance(DBInstanceIdentifier="managed", RotateMasterUserPassword=True, ApplyImmediately=True)
    assert password() != before
    with managed.connect(password()):
        pass


def test_a_deleted_instance_is_gone_with_its_server_its_name_and_its_data(cloud: LocalCloud, aws: Aws) -> None:
    doomed = Database(cloud, aws, "doomed")
    doomed.create(MasterUserPassword=PASSWORD)
    doomed.until("available")
    host = doomed.host()
    port = int(cloud.ask("status")["addresses"][host].rpartition(":")[2])
    data = (cloud.folder / "postgres" / "doomed").resolve()
    answer = doomed.rds.delete_db_instance(DBInstanceIdentifier="doomed", SkipFinalSnapshot=True)
    assert answer["DBInstance"]["DBInstanceStatus"] == "deleting"
    with pytest.raises(ClientError, match="already being deleted"):
        doomed.rds.delete_db_instance(DBInstanceIdentifier="doomed", SkipFinalSnapshot=True)
    doomed.until_gone()
    assert host not in cloud.ask("status")["addresses"]
    assert not data.exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_no_password_is_in_the_clouds_log_or_the_servers(database: Database) -> None:
    data = (database.cloud.folder / "postgres" / database.name).resolve()
    texts = [path.read_text(errors="replace") for path in (database.cloud.folder / "cloud.log", *_logs(data.parent))]
    assert len(texts) == 2
    assert not any(PASSWORD in text for text in texts)


def _logs(folder: Path) -> list[Path]:
    return list(folder.glob("*.log"))
