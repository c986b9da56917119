"""RDS snapshots, each by a name of our choice, so that requesting one twice makes one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import one
from orchestrator.aws.session import code_of, problem_of

_MISSING = frozenset({"DBSnapshotNotFound", "DBSnapshotNotFoundFault"})
_THERE = frozenset({"DBSnapshotAlreadyExists", "DBSnapshotAlreadyExistsFault"})


@dataclass(frozen=True, slots=True)
class DbSnapshot:
    """One snapshot. `status` is RDS's word (creating, available, failed …); empty: there is none of this name."""

    name: str
    status: str = ""
    progress: int = 0
    """Percent."""
    arn: str = ""
    instance: str = ""
    size: int = 0
    """GiB that a restored instance gets."""
    encrypted: bool = False
    engine: str = ""
    taken: str = ""
    """ISO 8601; empty until RDS says so."""
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)


class Snapshots(Protocol):
    """Of one kind of server: an RDS instance, a cluster, or none of RDS's."""

    def find(self, name: str) -> DbSnapshot:
        """As it is now."""
        ...

    def take(self, instance: str, name: str, tags: Mapping[str, str]) -> None:
        """Begin it; nothing when it has begun already."""
        ...

    def delete(self, name: str) -> None:
        """It is gone; nothing when it was."""
        ...


def described(name: str, found: Mapping[str, Any], of: str) -> DbSnapshot:
    """From RDS's answer; `of` is `Instance` or `Cluster`, by which its keys differ."""
    taken = found.get("SnapshotCreateTime")
    cluster = of == "Cluster"
    return DbSnapshot(
        name=name,
        status=found["Status"],
        progress=found.get("PercentProgress", 0),
        arn=found["DBClusterSnapshotArn" if cluster else "DBSnapshotArn"],
        instance=found[f"DB{of}Identifier"],
        size=found.get("AllocatedStorage", 0),
        encrypted=bool(found.get("StorageEncrypted" if cluster else "Encrypted")),
        engine=f"{found.get('Engine', '')} {found.get('EngineVersion', '')}".strip(),
        taken=taken.isoformat() if taken else "",
        tags={tag["Key"]: tag.get("Value", "") for tag in found.get("TagList", ())},
    )


class DbSnapshots:
    """Through a boto3 `rds` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, name: str) -> DbSnapshot:
        """As it is now."""
        try:
            found = one(self._client, "describe_db_snapshots", "DBSnapshots", DBSnapshotIdentifier=name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in _MISSING:
                return DbSnapshot(name)
            raise problem_of(error, "rds:DescribeDBSnapshots") from None
        if found is None:
            return DbSnapshot(name)
        return described(name, found, "Instance")

    def take(self, instance: str, name: str, tags: Mapping[str, str]) -> None:
        """Begin it; nothing when it has begun already."""
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        try:
            self._client.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier=name, Tags=pairs)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) not in _THERE:
                raise problem_of(error, "rds:CreateDBSnapshot") from None

    def delete(self, name: str) -> None:
        """It is gone; nothing when it was."""
        try:
            self._client.delete_db_snapshot(DBSnapshotIdentifier=name)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) not in _MISSING:
                raise problem_of(error, "rds:DeleteDBSnapshot") from None
