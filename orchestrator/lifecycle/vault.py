"""Where backups live: a bucket outside the stack, `STACK-backups-ACCOUNT-RANDOM`, a folder for each backup.

A bucket's name is the world's: one that can be foretold, somebody else can take first, and be sent the backups. So a
new one gets a random part, and is found again among the account's own buckets. Those of 0.1.0 had none, and stay.

`ID/manifest.json` and `ID/objects/…`; the database's and the volumes' snapshots bear the id in their names or tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.aws.buckets import Buckets
from orchestrator.errors import Invalid, Problem
from orchestrator.lifecycle.manifest import NAME, Manifest, parse

TAG = "orchestrate:backup"
"""On every snapshot: the id of the backup it belongs to."""
TENANT_TAG = "orchestrate:tenant"
STACK_TAG = "orchestrate:stack"


def tags_of(manifest: Manifest) -> Mapping[str, str]:
    """On everything that this backup makes: an id alone may be another stack's too, begun in the same second."""
    return {TAG: manifest.id, STACK_TAG: manifest.stack}


def bucket_of(stack: str, account_id: str) -> str:
    """How the names begin that nobody has to choose; of 0.1.0, the whole of it."""
    return f"{stack}-backups-{account_id}"


def chosen(known: Sequence[str], stack: str, account_id: str, token: str) -> str:
    """The bucket among the account's own (`known`) that is for this stack's backups, else a new one's name. Pure.

    Of several, the one of 0.1.0 comes first: it is where the older backups are. `token` are 8 hexadecimal digits.
    """
    name = bucket_of(stack, account_id)
    pattern = re.compile(re.escape(name) + r"(-[0-9a-f]{8})?")
    mine = sorted(one for one in known if pattern.fullmatch(one))
    return mine[0] if mine else f"{name}-{token}"


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

    def newest(self, stack: str) -> Manifest | None:
        """The newest complete one of the stack; reads no more than it takes. The bucket must be there."""
        for prefix in sorted(self.store.prefixes(self.bucket), reverse=True):
            found = self._readable(prefix)
            if found is not None and found.complete and found.stack == stack:
                return found
        return None

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
            fix = "`orchestrate backup --list` shows the existing ones"
            raise Invalid(Problem("backup-unknown", f"there is no backup {backup_id}", place, fix))
        return parse(text, place)

    def put(self, manifest: Manifest) -> None:
        """Write it, sealed."""
        self.store.write(self.bucket, manifest.key, manifest.sealed().text())
