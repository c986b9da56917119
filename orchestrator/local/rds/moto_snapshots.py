"""RDS snapshots: they take their time, hold the data of the server, and a new instance begins with them.

moto: a snapshot is available at once, has nothing in it, and may be taken of a stopped instance. AWS: `creating`, with
a percentage, then `available`; as of the moment it was asked for; refused unless the instance runs
(InvalidDBInstanceState), and until it is available nothing can be restored from it (InvalidDBSnapshotState). A final
snapshot of DeleteDBInstance is one like any other. Left out: automated backups and point-in-time recovery, copies
between regions, shared snapshots.
"""

from __future__ import annotations

from typing import Any

from moto.rds.exceptions import RDSClientError
from moto.rds.models import DBInstance, DBSnapshot, RDSBackend

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.rds.moto import RESTORED_FROM, refuse_unless_changeable

SNAPSHOT_SECONDS = 60.0
STEPS = 4
"""In how many steps the percentage grows."""
FAULT_FAILS, FAULT_HANGS = "snapshot-fails", "snapshot-hangs"


class SnapshotNotAvailable(RDSClientError):
    """It is still being taken, or has failed."""

    def __init__(self, snapshot: DBSnapshot) -> None:
        message = f"The snapshot {snapshot.db_snapshot_identifier} is not in the available state ({snapshot.status})."
        super().__init__("InvalidDBSnapshotState", message)


def install(cloud: Cloud) -> None:
    """Take, restore, forget."""
    _correct_taking(cloud)
    _correct_restoring()
    _correct_deleting(cloud)


def _correct_taking(cloud: Cloud) -> None:
    take = RDSBackend.create_db_snapshot

    def create_db_snapshot(self: RDSBackend, db_instance_identifier: str, *names: Any, **options: Any) -> DBSnapshot:
        known = self.databases.get(db_instance_identifier)
        if known is not None:
            refuse_unless_changeable(
                known,
                f"Cannot create a snapshot because the database instance {db_instance_identifier} "
                "is not currently in the available state.",
            )
        snapshot = take(self, db_instance_identifier, *names, **options)
        if snapshot.snapshot_type == "manual":
            _begin(cloud, snapshot)
        return snapshot

    replace(RDSBackend, create_db_snapshot=create_db_snapshot)


def _begin(cloud: Cloud, snapshot: Any) -> None:
    if cloud.databases and snapshot.engine == "postgres":
        cloud.databases.snapshot(snapshot.database.db_instance_identifier, snapshot.db_snapshot_identifier)
    come_along(cloud, snapshot)


def come_along(cloud: Cloud, snapshot: Any) -> None:
    """A snapshot that has begun, of an instance or a cluster, gets on by itself."""
    snapshot.status, snapshot.percent_progress = "creating", 0

    def advance() -> None:
        if cloud.faults.active(FAULT_HANGS):
            return
        snapshot.percent_progress += 100 // STEPS
        if cloud.faults.active(FAULT_FAILS):
            snapshot.status = "failed"
        elif snapshot.percent_progress >= 100:
            snapshot.status = "available"
        else:
            cloud.after(SNAPSHOT_SECONDS / STEPS, advance)

    cloud.after(SNAPSHOT_SECONDS / STEPS, advance)


def _correct_restoring() -> None:
    restore = RDSBackend.restore_db_instance_from_db_snapshot

    def restore_db_instance_from_db_snapshot(
        self: RDSBackend, from_snapshot_id: str, overrides: dict[str, Any]
    ) -> DBInstance:
        name = from_snapshot_id.rpartition(":")[2]
        snapshot = self.get_db_snapshot(name)
        if snapshot.status != "available":
            raise SnapshotNotAvailable(snapshot)
        return restore(self, name, {**overrides, RESTORED_FROM: name})

    replace(RDSBackend, restore_db_instance_from_db_snapshot=restore_db_instance_from_db_snapshot)


def _correct_deleting(cloud: Cloud) -> None:
    delete = RDSBackend.delete_db_snapshot

    def delete_db_snapshot(self: RDSBackend, db_snapshot_identifier: str) -> DBSnapshot:
        snapshot = delete(self, db_snapshot_identifier)
        if cloud.databases:
            cloud.databases.forget(snapshot.db_snapshot_identifier)
        return snapshot

    replace(RDSBackend, delete_db_snapshot=delete_db_snapshot)
