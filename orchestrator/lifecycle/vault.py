"""Where backups live: a bucket outside the stack, `STACK-backups-ACCOUNT`, a folder for each backup.

`ID/manifest.json` and `ID/objects/…`; the database's and the volumes' snapshots bear the id in their names or tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.aws.buckets import Buckets
from orchestrator.errors import Invalid, Problem
from orchestrator.lifecycle.manifest import NAME, Manifest, parse

TAG = "orchestrate:backup"
"""On every snapshot: the id of the backup it belongs to."""
TENANT_TAG = "orchestrate:tenant"
STACK_TAG = "orchestrate:stack"


def bucket_of(stack: str, account_id: str) -> str:
    """The name that nobody has to choose."""
    return f"{stack}-backups-{account_id}"


@dataclass(frozen=True, slots=True)
class Vault:
    """The manifests of one bucket."""

    store: Buckets
    bucket: str

    def manifests(self) -> Sequence[Manifest]:
        """All that can be read, the newest first. What is no manifest of ours is passed over."""
        if not self.store.state(self.bucket).there:
            return ()
        found = (self._readable(prefix) for prefix in self.store.prefixes(self.bucket))
        return sorted((one for one in found if one), key=lambda one: one.id, reverse=True)

    def _readable(self, prefix: str) -> Manifest | None:
        text = self.store.read(self.bucket, f"{prefix}{NAME}")
        try:
            return parse(text, prefix) if text else None
        except Invalid:
            return None

    def get(self, backup_id: str) -> Manifest:
        """One by its id. Raises `Invalid`."""
        place = f"s3://{self.bucket}/{backup_id}/{NAME}"
        text = self.store.read(self.bucket, f"{backup_id}/{NAME}")
        if text is None:
            fix = "`orchestrate backup --list` shows those that are there"
            raise Invalid(Problem("backup-unknown", f"there is no backup {backup_id}", place, fix))
        return parse(text, place)

    def put(self, manifest: Manifest) -> None:
        """Write it, sealed."""
        self.store.write(self.bucket, manifest.key, manifest.sealed().text())
