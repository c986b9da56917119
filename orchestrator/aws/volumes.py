"""EBS: the data volumes of instances, and their snapshots, which are found by their tags."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import items
from orchestrator.aws.resends import sent_once
from orchestrator.aws.session import code_of, problem_of, translated


@dataclass(frozen=True, slots=True)
class DataVolume:
    """A volume that an instance has beside its root device. `size` in GiB."""

    id: str
    size: int
    encrypted: bool
    device: str = ""
    """As EC2 calls it (`/dev/sdf`); inside it may be called otherwise."""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class VolumeSnapshot:
    """One snapshot. `status` is EC2's word: pending, completed, error."""

    id: str
    status: str
    progress: str = ""
    volume: str = ""
    size: int = 0
    encrypted: bool = False
    taken: str = ""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


class Volumes:
    """Through a boto3 `ec2` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def of_instances(self, ids: Collection[str]) -> Mapping[str, tuple[DataVolume, ...]]:
        """Instance → its data volumes, by their devices; those that have only a root device are absent."""
        roots = self._roots(ids)
        found: dict[str, tuple[DataVolume, ...]] = {}
        for raw in self._pages("describe_volumes", "Volumes", "attachment.instance-id", ids):
            for attachment in raw["Attachments"]:
                instance, device = attachment["InstanceId"], attachment["Device"]
                if instance in roots and device != roots[instance]:
                    tags = {pair["Key"]: pair["Value"] for pair in raw.get("Tags", ())}
                    one = DataVolume(raw["VolumeId"], raw["Size"], raw["Encrypted"], device, tags)
                    found[instance] = tuple(sorted((*found.get(instance, ()), one), key=lambda it: (it.device, it.id)))
        return found

    def _roots(self, ids: Collection[str]) -> Mapping[str, str]:
        with translated("ec2:DescribeInstances"):
            reservations = items(self._client, "describe_instances", "Reservations", InstanceIds=sorted(ids))
            instances = [one for many in reservations for one in many["Instances"]]
        return {one["InstanceId"]: one.get("RootDeviceName", "") for one in instances}

    def snapshots(self, tags: Mapping[str, str]) -> tuple[VolumeSnapshot, ...]:
        """Our own snapshots with all of these tags, the oldest first."""
        filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]
        with translated("ec2:DescribeSnapshots"):
            found = list(items(self._client, "describe_snapshots", "Snapshots", Filters=filters, OwnerIds=["self"]))
        return tuple(sorted(map(_snapshot, found), key=lambda one: (one.taken, one.id)))

    def find(self, ids: Collection[str]) -> Mapping[str, VolumeSnapshot]:
        """Those of the ids that there are."""
        found = self._pages("describe_snapshots", "Snapshots", "snapshot-id", ids)
        return {one.id: one for one in map(_snapshot, found)}

    def take(self, volume: str, description: str, tags: Mapping[str, str]) -> str:
        """Begin a snapshot as of now; its id. Sent once: each would be one more."""
        given = [{"ResourceType": "snapshot", "Tags": [{"Key": key, "Value": it} for key, it in tags.items()]}]
        with sent_once("ec2:CreateSnapshot"):
            answer = self._client.create_snapshot(VolumeId=volume, Description=description, TagSpecifications=given)
        return str(answer["SnapshotId"])

    def delete(self, snapshot: str) -> None:
        """It is gone; nothing when it was."""
        try:
            self._client.delete_snapshot(SnapshotId=snapshot)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) != "InvalidSnapshot.NotFound":
                raise problem_of(error, "ec2:DeleteSnapshot") from None

    def _pages(self, call: str, part: str, name: str, values: Collection[str]) -> list[dict[str, Any]]:
        filters = [{"Name": name, "Values": sorted(values)}]
        with translated(f"ec2:{call.title().replace('_', '')}"):
            return list(items(self._client, call, part, Filters=filters))


def _snapshot(raw: Mapping[str, Any]) -> VolumeSnapshot:
    return VolumeSnapshot(
        id=raw["SnapshotId"],
        status=raw["State"],
        progress=raw.get("Progress", ""),
        volume=raw.get("VolumeId", ""),
        size=raw.get("VolumeSize", 0),
        encrypted=bool(raw.get("Encrypted")),
        taken=raw["StartTime"].isoformat() if raw.get("StartTime") else "",
        tags={pair["Key"]: pair["Value"] for pair in raw.get("Tags", ())},
    )
