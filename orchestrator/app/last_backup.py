"""The newest backup of a stack, for who wants to know what there once was."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.aws.buckets import Buckets
from orchestrator.lifecycle.vault import Vault, bucket_of, chosen
from orchestrator.steps.stored_data import LastBackup


@dataclass(frozen=True, slots=True)
class NewestBackup:
    """`named`: the bucket that was chosen for them, if any."""

    buckets: Buckets
    stack: str
    account: str
    named: str | None = None

    def __call__(self) -> LastBackup | None:
        """The newest complete one; None: there is none. A call for the buckets, one for the backups, one for each."""
        bucket = self.named or self._found()
        manifest = Vault(self.buckets, bucket).newest(self.stack) if bucket else None
        return LastBackup(manifest.id, manifest.holdings) if manifest else None

    def _found(self) -> str:
        known = self.buckets.named(bucket_of(self.stack, self.account))
        bucket = chosen(known, self.stack, self.account, "")
        return bucket if bucket in known else ""
