"""Called by the small stack's provisioners, in the environment's cloud: `build FILE`, `seed FILE`, `destroy FILE`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import boto3
import botocore.session

from orchestrator.local import world
from orchestrator.local.core.caller import TERRAFORM
from orchestrator.local.world.aurora import ENGINE, add_writer, wait_until_available


def main(verb: str, file: Path) -> None:
    # What Terraform may do is not what `orchestrate policy` is about: under enforcement it has keys of its own.
    core: Any = botocore.session.get_session()
    core.user_agent_extra = TERRAFORM  # in whose place this is
    keys = os.environ.get("WORLD_ACCESS_KEY_ID"), os.environ.get("WORLD_SECRET_ACCESS_KEY")
    session = boto3.Session(*keys, botocore_session=core)
    born = file.with_suffix(".born")
    if verb == "destroy":
        if file.exists():
            world.tear_down(session, json.loads(file.read_text()))
        return
    snapshots = json.loads(os.environ["SNAPSHOTS"])
    if verb == "build":
        given = json.loads(os.environ["GIVEN"])
        made = world.build(
            session,
            name=given["name"],
            tenants=sorted(given["hostnames"]),
            hostnames=given["hostnames"],
            log_prefix=given["log_prefix"],
            snapshots=world.SeedSnapshots(snapshots["database"], snapshots["indexes"]),
            aurora=given["aurora"],
        )
        file.write_text(json.dumps(made))
        born.touch()
    elif born.exists():  # with its world, a moment ago
        born.unlink()
    else:
        made = json.loads(file.read_text())
        seed = seed_cluster if made["database"].get("cluster") else seed_database
        seed(session, made, snapshots["database"], file.with_suffix(".database"))
        seed_indexes(session, made, snapshots["indexes"])


def seed_database(session: boto3.Session, made: dict[str, Any], snapshot: str, like: Path) -> None:
    """The same server again, from the snapshot; `like` keeps what it was like in case this is cut short."""
    rds: Any = session.client("rds")
    instance = made["database"]["instance"]
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    except rds.exceptions.DBInstanceNotFoundFault:
        found = None
    if found:
        groups = [one["VpcSecurityGroupId"] for one in found["VpcSecurityGroups"]]
        like.write_text(json.dumps([found["DBInstanceClass"], found["DBSubnetGroup"]["DBSubnetGroupName"], groups]))
        rds.delete_db_instance(DBInstanceIdentifier=instance, SkipFinalSnapshot=True)
        rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=instance, WaiterConfig=OFTEN)
    size, subnets, groups = json.loads(like.read_text())
    rds.restore_db_instance_from_db_snapshot(
        DBSnapshotIdentifier=snapshot,
        DBInstanceIdentifier=instance,
        DBInstanceClass=size,
        DBSubnetGroupName=subnets,
        VpcSecurityGroupIds=groups,
        PubliclyAccessible=False,
    )
    rds.get_waiter("db_instance_available").wait(DBInstanceIdentifier=instance, WaiterConfig=OFTEN)
    password = admin_password(session, made)
    rds.modify_db_instance(DBInstanceIdentifier=instance, MasterUserPassword=password, ApplyImmediately=True)


def admin_password(session: boto3.Session, made: dict[str, Any]) -> str:
    admin = session.client("secretsmanager").get_secret_value(SecretId=made["database"]["admin_secret_arn"])
    return str(json.loads(admin["SecretString"])["password"])


def seed_cluster(session: boto3.Session, made: dict[str, Any], snapshot: str, like: Path) -> None:
    """The same cluster again, from the snapshot, with a writer; `like` as of an instance."""
    rds: Any = session.client("rds")
    cluster = made["database"]["cluster"]
    try:
        found = rds.describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"][0]
    except rds.exceptions.DBClusterNotFoundFault:
        found = None
    if found:
        groups = [one["VpcSecurityGroupId"] for one in found["VpcSecurityGroups"]]
        like.write_text(json.dumps([found["DBSubnetGroup"], groups, found.get("TagList", [])]))
        for member in found["DBClusterMembers"]:
            name = member["DBInstanceIdentifier"]
            rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
            rds.get_waiter("db_instance_deleted").wait(DBInstanceIdentifier=name, WaiterConfig=OFTEN)
        rds.delete_db_cluster(DBClusterIdentifier=cluster, SkipFinalSnapshot=True)
        rds.get_waiter("db_cluster_deleted").wait(DBClusterIdentifier=cluster, WaiterConfig=OFTEN)
    subnets, groups, tags = json.loads(like.read_text())
    rds.restore_db_cluster_from_snapshot(
        SnapshotIdentifier=snapshot,
        DBClusterIdentifier=cluster,
        DBSubnetGroupName=subnets,
        VpcSecurityGroupIds=groups,
        Tags=tags,
        **ENGINE,
    )
    add_writer(rds, cluster, tags)
    wait_until_available(rds, cluster)
    password = admin_password(session, made)
    rds.modify_db_cluster(DBClusterIdentifier=cluster, MasterUserPassword=password, ApplyImmediately=True)


def seed_indexes(session: boto3.Session, made: dict[str, Any], snapshots: dict[str, str]) -> None:
    """Another volume in the place of each."""
    ec2: Any = session.client("ec2")
    for tenant, snapshot in snapshots.items():
        instance = made["vespa"][tenant]["instance_id"]
        mine = [
            {"Name": "attachment.instance-id", "Values": [instance]},
            {"Name": "attachment.device", "Values": ["/dev/sdf"]},
        ]
        for old in ec2.describe_volumes(Filters=mine)["Volumes"]:
            ec2.detach_volume(VolumeId=old["VolumeId"], InstanceId=instance, Device="/dev/sdf")
            ec2.delete_volume(VolumeId=old["VolumeId"])
        zone = f"{session.region_name}a"
        new = ec2.create_volume(AvailabilityZone=zone, SnapshotId=snapshot, Encrypted=True, VolumeType="gp3")
        ec2.attach_volume(VolumeId=new["VolumeId"], InstanceId=instance, Device="/dev/sdf")


OFTEN = {"Delay": 1, "MaxAttempts": 120}

if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
