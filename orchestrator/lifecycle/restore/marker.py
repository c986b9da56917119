"""How far a restore has come: beside the backup, for each stack it goes to. What else it did is seen in the stack."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from orchestrator.lifecycle.manifest import Manifest
from orchestrator.lifecycle.vault import Vault

BEGUN, RETURNED, DONE = "begun", "data-returned", "done"


@dataclass(frozen=True, slots=True)
class Marker:
    """`state`: begun (Terraform may be at work), data-returned (nothing is copied any more), done."""

    stack: str
    state: str
    at: str

    @property
    def under_way(self) -> bool:
        """An interrupted one, to go on with."""
        return self.state != DONE


def read(vault: Vault, manifest: Manifest, stack: str) -> Marker | None:
    """None: this backup was never restored to this stack."""
    text = vault.store.read(vault.bucket, _key(manifest, stack))
    return Marker(**json.loads(text)) if text else None


def write(vault: Vault, manifest: Manifest, marker: Marker) -> None:
    """From now on it has come this far."""
    vault.store.write(vault.bucket, _key(manifest, marker.stack), json.dumps(asdict(marker)))


def _key(manifest: Manifest, stack: str) -> str:
    return f"{manifest.id}/restore-to-{stack}.json"
