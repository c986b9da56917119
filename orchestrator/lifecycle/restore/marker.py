"""How far a restore has come: beside the backup, for each stack it goes to. What else it did is seen in the stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.vault import Vault

REPLACING, BEGUN, RETURNED, DONE = "replacing", "begun", "data-returned", "done"


@dataclass(frozen=True, slots=True)
class Marker:
    """`state`: replacing (what a live stack held may be partly gone), begun, data-returned (all is copied), done.

    `lost` are the losses that were named when it began, as `--allow-loss` takes them.
    """

    stack: str
    state: str
    at: str
    lost: tuple[str, ...] = ()

    @property
    def under_way(self) -> bool:
        """An interrupted one, to go on with; what replaces live data is decided on anew."""
        return self.state in (BEGUN, RETURNED)

    @property
    def overwrites(self) -> bool:
        """Whether it goes on to replace what it finds, for losses that were named."""
        return self.state == BEGUN and bool(self.lost)

    @property
    def when(self) -> datetime:
        """When it had come so far."""
        return datetime.fromisoformat(self.at)

    @property
    def unfinished(self) -> bool:
        """What was named for it still counts."""
        return self.state != DONE


def read(vault: Vault, manifest: Manifest, stack: str) -> Marker | None:
    """None: this backup was never restored to this stack."""
    text = vault.store.read(vault.bucket, _key(manifest, stack))
    said = json.loads(text) if text else None
    return Marker(**{**said, "lost": tuple(said.get("lost", ()))}) if said else None


def written(vault: Vault, manifest: Manifest, stack: str) -> float:
    """When, by S3's clock (seconds since the epoch); 0: never. Objects that are newer were copied by this restore."""
    return max((one.modified for one in vault.store.objects(vault.bucket, _key(manifest, stack))), default=0.0)


def write(vault: Vault, manifest: Manifest, marker: Marker) -> None:
    """From now on it has come this far."""
    vault.store.write(vault.bucket, _key(manifest, marker.stack), json.dumps(asdict(marker)))


def _key(manifest: Manifest, stack: str) -> str:
    return f"{manifest.id}/restore-to-{stack}.json"
