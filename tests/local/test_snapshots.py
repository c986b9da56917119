"""Snapshots hold what was there: PostgreSQL's data, Vespa's documents, objects' versions."""

from __future__ import annotations

import json
import shlex
from typing import Any

import psycopg
import pytest
from botocore.exceptions import ClientError

from orchestrator.local import world
from tests.local.local_cloud import Aws, LocalCloud
from tests.waiting import until

pytestmark = pytest.mark.cloud

PASSWORD = "first-stand-in-password"
INSTANCE = {
    "DBInstanceClass": "db.t4g.small",
    "Engine": "postgres",
    "AllocatedStorage": 20,
    "MasterUsername": "onyx_root",
    "StorageEncrypted": True,
}


class Rds:
    def __init__(self, cloud: LocalCloud, aws: Aws) -> None:
        self.cloud, self.rds = cloud, aws.client("rds")

    def status(self, name: str) -> str:
        try:
            return str(self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"])
        except self.rds.exceptions.DBInstanceNotFoundFault:
            return "gone"

    def available(self, name: str) -> None:
        until("it is available", lambda: self.status(name) == "available")

    def snapshot(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
        return found

    def connect(self, name: str) -> psycopg.Connection[Any]:
        host = self.rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["Endpoint"]["Address"]
        ip, _, port = self.cloud.ask("status")["addresses"][host].partition(":")
        return psycopg.connect(
            host=host,
            hostaddr=ip,
            port=int(port),
            user="onyx_root",
            password=PASSWORD,
            dbname="onyx",
            sslmode="verify-full",
            sslrootcert=self.cloud.env["ORCHESTRATE_CA_FILE"],
            autocommit=True,
        )


@pytest.fixture(scope="module")
def rds(cloud: LocalCloud, aws: Aws) -> Rds:
    made = Rds(cloud, aws)
    made.rds.create_db_instance(DBInstanceIdentifier="source", MasterUserPassword=PASSWORD, DBName="onyx", **INSTANCE)
    made.available("source")
    return made


def test_a_snapshot_is_of_the_moment_it_was_asked_for_and_sessions_go_on(rds: Rds) -> None:
    with rds.connect("source") as session:
        session.execute("CREATE TABLE chat (message text)")
        session.execute("INSERT INTO chat SELECT 'message ' || n FROM generate_series(1, 5000) n")
        taken = rds.rds.create_db_snapshot(DBInstanceIdentifier="source", DBSnapshotIdentifier="before")
        assert taken["DBSnapshot"]["Status"] == "creating"
        session.execute("DELETE FROM chat")
        until("the snapshot is taken", lambda: rds.snapshot("before")["Status"] == "available")
        assert (rds.snapshot("before")["Encrypted"], rds.snapshot("before")["PercentProgress"]) == (True, 100)

    begun = rds.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="restored", DBSnapshotIdentifier="before", DBInstanceClass="db.t4g.small"
    )
    assert begun["DBInstance"]["DBInstanceStatus"] == "creating"
    rds.available("restored")
    with rds.connect("restored") as restored, rds.connect("source") as source:
        count = "SELECT count(*) FROM chat"
        assert (restored.execute(count).fetchone(), source.execute(count).fetchone()) == ((5000,), (0,))


def test_a_final_snapshot_outlives_its_instance(rds: Rds, cloud: LocalCloud) -> None:
    rds.rds.create_db_instance(DBInstanceIdentifier="doomed", MasterUserPassword=PASSWORD, DBName="onyx", **INSTANCE)
    rds.available("doomed")
    with rds.connect("doomed") as session:
        session.execute("CREATE TABLE last_words (word text)")
    rds.rds.delete_db_instance(DBInstanceIdentifier="doomed", FinalDBSnapshotIdentifier="doomed-final")
    until("it is gone", lambda: rds.status("doomed") == "gone")
    until("the final snapshot is taken", lambda: rds.snapshot("doomed-final")["Status"] == "available")
    rds.rds.restore_db_instance_from_db_snapshot(
        DBInstanceIdentifier="doomed", DBSnapshotIdentifier="doomed-final", DBInstanceClass="db.t4g.small"
    )
    rds.available("doomed")
    with rds.connect("doomed") as session:
        assert session.execute("SELECT count(*) FROM last_words").fetchone() == (0,)
    data = (cloud.folder / "postgres" / "snapshot:doomed-final").resolve()
    assert data.is_dir()
    rds.rds.delete_db_snapshot(DBSnapshotIdentifier="doomed-final")
    assert not data.exists()


@pytest.mark.parametrize(("fault", "status"), [("snapshot-fails", "failed"), ("snapshot-hangs", "creating")])
def test_a_snapshot_may_fail_or_never_end(rds: Rds, fault: str, status: str) -> None:
    rds.cloud.ask("faults", "POST", name=fault, tenant="")
    rds.rds.create_db_snapshot(DBInstanceIdentifier="source", DBSnapshotIdentifier=fault)
    if status == "failed":
        until("the snapshot fails", lambda: rds.snapshot(fault)["Status"] == "failed")
    rds.cloud.ask("faults", "DELETE")
    assert rds.snapshot(fault)["Status"] == status
    with pytest.raises(ClientError, match="InvalidDBSnapshotState"):
        rds.rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier="early", DBSnapshotIdentifier=fault, DBInstanceClass="db.t4g.small"
        )


@pytest.fixture(scope="module")
def stack(cloud: LocalCloud, aws: Aws) -> dict[str, Any]:
    return world.build(aws.session, endpoint=aws.endpoint)


class Index:
    """Vespa on one instance, as a script there sees it."""

    def __init__(self, aws: Aws, instance: str) -> None:
        self.ssm, self.instance = aws.client("ssm"), instance

    def says(self, script: str) -> str:
        sent = self.ssm.send_command(
            InstanceIds=[self.instance], DocumentName="AWS-RunShellScript", Parameters={"commands": [script]}
        )["Command"]["CommandId"]

        def ended() -> Any:
            try:
                said = self.ssm.get_command_invocation(CommandId=sent, InstanceId=self.instance)
            except self.ssm.exceptions.InvocationDoesNotExist:
                return None
            return said if said["Status"] in ("Success", "Failed") else None

        said = until("the script ends", ended)
        assert said["Status"] == "Success", said
        return str(said["StandardOutputContent"]).strip()

    def feed(self, name: str, text: str) -> None:
        document = json.dumps({"fields": {"content": text}})
        url = f"http://localhost:8081/document/v1/default/danswer_chunk/docid/{name}"
        self.says(f"curl -sf -X POST -H 'Content-Type: application/json' --data {shlex.quote(document)} {url}")

    def documents(self) -> dict[str, str]:
        visit = "http://localhost:8081/document/v1/?cluster=danswer_index&wantedDocumentCount=100"
        found = json.loads(self.says(f"curl -sf '{visit}'"))["documents"]
        return {one["id"]: one["fields"]["content"] for one in found}


def online(aws: Aws, instance: str) -> None:
    ssm = aws.client("ssm")
    until(
        "its agent is online",
        lambda: any(
            one["InstanceId"] == instance and one["PingStatus"] == "Online"
            for one in ssm.describe_instance_information()["InstanceInformationList"]
        ),
    )


def _too_early(ec2: Any, volume: str) -> bool:
    """Whether a volume of a new snapshot is refused: a snapshot is pending only for a moment here."""
    taken = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    try:
        ec2.create_volume(SnapshotId=taken, AvailabilityZone="us-west-2a")
    except ClientError as error:
        return str(error.response["Error"]["Code"]) == "IncorrectState"
    return False


def test_a_volume_from_a_snapshot_has_the_documents(stack: dict[str, Any], aws: Aws) -> None:
    ec2 = aws.client("ec2")
    first, second = (one["instance_id"] for one in stack["vespa"].values())
    online(aws, first)
    online(aws, second)
    index = Index(aws, first)
    index.feed("a", "it's early")
    of_instance = [{"Name": "attachment.instance-id", "Values": [first]}]
    volume = next(
        one["VolumeId"]
        for one in ec2.describe_volumes(Filters=of_instance)["Volumes"]
        if one["Attachments"][0]["Device"] == "/dev/sdf"
    )
    until("a volume is asked for before its snapshot is taken", lambda: _too_early(ec2, volume))
    taken = ec2.create_snapshot(VolumeId=volume)
    assert taken["State"] == "pending"
    index.feed("b", "late")
    assert sorted(index.documents().values()) == ["it's early", "late"]
    until(
        "the snapshot is taken",
        lambda: ec2.describe_snapshots(SnapshotIds=[taken["SnapshotId"]])["Snapshots"][0]["State"] == "completed",
    )

    again = ec2.create_volume(SnapshotId=taken["SnapshotId"], AvailabilityZone="us-west-2a")["VolumeId"]
    others = ec2.describe_volumes(Filters=[{"Name": "attachment.instance-id", "Values": [second]}])["Volumes"]
    for one in others:
        if one["Attachments"][0]["Device"] == "/dev/sdf":
            ec2.detach_volume(VolumeId=one["VolumeId"], InstanceId=second)
    ec2.attach_volume(VolumeId=again, InstanceId=second, Device="/dev/sdf")
    assert Index(aws, second).documents() == {"id:default:danswer_chunk::a": "it's early"}
    count = Index(aws, second).says("curl -s 'http://localhost:8081/search/?yql=all'")
    assert json.loads(count)["root"]["fields"]["totalCount"] == 1


def test_a_bucket_keeps_versions_and_does_not_go_while_it_has_some(stack: dict[str, Any], aws: Aws) -> None:
    s3, bucket = aws.client("s3"), stack["bucket"]
    for text in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="onyx-files/customer-a/one", Body=text)
    s3.delete_object(Bucket=bucket, Key="onyx-files/customer-a/one")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    listed = s3.list_object_versions(Bucket=bucket)
    assert (len(listed["Versions"]), len(listed["DeleteMarkers"])) == (2, 1)
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        s3.delete_bucket(Bucket=bucket)
    for one in (*listed["Versions"], *listed["DeleteMarkers"]):
        s3.delete_object(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
    s3.delete_bucket(Bucket=bucket)
