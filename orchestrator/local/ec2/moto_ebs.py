"""EBS: snapshots take their time, and what is on a volume is in them.

moto: a snapshot is completed at once and nothing is on any volume. AWS: `pending` with a percentage, then `completed`;
as of the moment it was asked for, whatever is written afterwards; no volume can be made of one that is pending
(IncorrectState). Left out: increments, the archive tier, slow first reads, a common instant of several volumes.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot, Volume

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.ec2 import volumes

SNAPSHOT_SECONDS = 60.0


class IncorrectState(EC2ClientError):
    """The snapshot is not completed yet."""

    def __init__(self, snapshot: str) -> None:
        super().__init__("IncorrectState", f"Snapshot is in invalid state - pending ({snapshot})")


def install(cloud: Cloud) -> None:
    """Snapshots and volumes, made and deleted."""
    _correct_snapshots(cloud)
    _correct_volumes(cloud)
    replace(Snapshot, progress=property(lambda self: "100%" if self.status == "completed" else "0%"))


def _correct_snapshots(cloud: Cloud) -> None:
    take, copy, delete = EBSBackend.create_snapshot, EBSBackend.copy_snapshot, EBSBackend.delete_snapshot
    describe = EBSBackend.describe_snapshots

    def begun(snapshot: Snapshot, source: str) -> Snapshot:
        snapshot.status = "pending"
        volumes.copy(cloud, source, snapshot.id)

        def end() -> None:
            snapshot.status = "completed"

        cloud.after(SNAPSHOT_SECONDS, end)
        return snapshot

    def create_snapshot(self: EBSBackend, volume_id: str, *given: Any, **options: Any) -> Snapshot:
        snapshot = take(self, volume_id, *given, **options)
        # Moto makes one for each of 1300 images; they were there before the account was.
        return snapshot if snapshot.from_ami else begun(snapshot, volume_id)

    def copy_snapshot(self: EBSBackend, source_snapshot_id: str, *given: Any, **options: Any) -> Snapshot:
        return begun(copy(self, source_snapshot_id, *given, **options), source_snapshot_id)

    def delete_snapshot(self: EBSBackend, snapshot_id: str) -> Snapshot:
        snapshot = delete(self, snapshot_id)
        volumes.remove(cloud, snapshot_id)
        return snapshot

    def describe_snapshots(self: EBSBackend, snapshot_ids: Any = None, filters: Any = None) -> list[Snapshot]:
        if any(name.startswith("tag:") for name in filters or ()):
            # Tags are an account's own: none of the images' snapshots has one, and moto compiles a pattern for each.
            own = [one.id for one in self.snapshots.values() if not one.from_ami]
            snapshot_ids = snapshot_ids or own
            if not snapshot_ids:
                return []
        return describe(self, snapshot_ids, filters)

    replace(EBSBackend, create_snapshot=create_snapshot, copy_snapshot=copy_snapshot, delete_snapshot=delete_snapshot)
    replace(EBSBackend, describe_snapshots=describe_snapshots)


def _correct_volumes(cloud: Cloud) -> None:
    create, delete = EBSBackend.create_volume, EBSBackend.delete_volume

    def create_volume(self: EBSBackend, *given: Any, **options: Any) -> Volume:
        snapshot_id = options.get("snapshot_id")
        if snapshot_id and self.get_snapshot(snapshot_id).status != "completed":
            raise IncorrectState(snapshot_id)
        volume = create(self, *given, **options)
        if snapshot_id:
            volumes.copy(cloud, snapshot_id, volume.id)
        return volume

    def delete_volume(self: EBSBackend, volume_id: str) -> Volume:
        volume = delete(self, volume_id)
        volumes.remove(cloud, volume_id)
        return volume

    replace(EBSBackend, create_volume=create_volume, delete_volume=delete_volume)
