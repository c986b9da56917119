"""Snapshots in a repository of the file system (`fs`), below the one folder that `path.repo` allows.

Left out: every other kind (S3's needs a plugin that the image has not), increments, partial and concurrent snapshots.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.local.opensearch.indexes import Document, Index, Indexes, dumped
from orchestrator.local.opensearch.refusals import OpenSearchRefusal


class OpenSearchSnapshots:
    """The repositories of a node, and what is in them. `allowed`: the container's `path.repo`; empty: it has none."""

    def __init__(self, folder: Path, indexes: Indexes, allowed: str) -> None:
        self._folder = folder / "snapshots"
        self._indexes = indexes
        self._allowed = allowed

    def register(self, repository: str, body: Mapping[str, Any]) -> None:
        """A repository. Raises OpenSearchRefusal for a kind or a place that the node does not allow."""
        kind, location = body.get("type"), str(body.get("settings", {}).get("location", ""))
        if kind != "fs":
            raise OpenSearchRefusal(
                400, "repository_exception", f"[{repository}] repository type [{kind}] does not exist"
            )
        if not self._allowed or not Path(location).is_relative_to(self._allowed):
            why = "because this setting is empty" if not self._allowed else f"[{self._allowed}]"
            reason = (
                f"[{repository}] location [{location}] doesn't match any of the locations specified by path.repo {why}"
            )
            raise OpenSearchRefusal(500, "repository_exception", reason)
        (self._folder / repository).mkdir(parents=True, exist_ok=True)

    def take(self, repository: str, name: str, expression: str) -> Mapping[str, Any]:
        """Keep these indexes as they are. Raises OpenSearchRefusal where a snapshot of this name is there."""
        file = self._file(repository, name)
        if file.exists():
            reason = f"[{repository}:{name}] Invalid snapshot name [{name}], snapshot with the same name already exists"
            raise OpenSearchRefusal(400, "invalid_snapshot_name_exception", reason)
        kept = self._indexes.named(expression)
        file.write_text(json.dumps([dumped(one) for one in kept]))
        return {"snapshot": _shown(name, [one.name for one in kept])}

    def shown(self, repository: str, name: str) -> Mapping[str, Any]:
        """What is known of it. Raises OpenSearchRefusal without it."""
        return {"snapshots": [_shown(name, [one["name"] for one in self._read(repository, name)])]}

    def delete(self, repository: str, name: str) -> None:
        """Gone. Raises OpenSearchRefusal without it."""
        self._read(repository, name)
        self._file(repository, name).unlink()

    def restore(self, repository: str, name: str, expression: str) -> Mapping[str, Any]:
        """Its indexes are there again. Refused, with nothing done, where one of the same name is open."""
        wanted = set(expression.split(","))
        found = [one for one in self._read(repository, name) if wanted & {one["name"], "*", "_all"}]
        there = {one.name for one in self._indexes}
        for one in found:
            if one["name"] in there:
                reason = f"[{repository}:{name}] cannot restore index [{one['name']}] because an open index with same "
                reason += "name already exists in the cluster. Either close or delete the existing index"
                raise OpenSearchRefusal(500, "snapshot_restore_exception", reason)
        for one in found:
            documents = {key: Document(*it) for key, it in one["documents"].items()}
            index = Index(one["name"], one["uid"], one["settings"], one["mappings"], documents, numbers=one["numbers"])
            index.refresh()
            self._indexes.put(index)
        return {"snapshot": _shown(name, [one["name"] for one in found])}

    def _file(self, repository: str, name: str) -> Path:
        folder = self._folder / repository
        if not folder.is_dir():
            raise OpenSearchRefusal(404, "repository_missing_exception", f"[{repository}] missing")
        return folder / f"{name}.json"

    def _read(self, repository: str, name: str) -> list[dict[str, Any]]:
        file = self._file(repository, name)
        if not file.exists():
            raise OpenSearchRefusal(404, "snapshot_missing_exception", f"[{repository}:{name}] is missing")
        found: list[dict[str, Any]] = json.loads(file.read_text())
        return found


def _shown(name: str, indexes: list[str]) -> Mapping[str, Any]:
    shards = {"total": len(indexes), "failed": 0, "successful": len(indexes)}
    return {"snapshot": name, "indices": indexes, "state": "SUCCESS", "failures": [], "shards": shards}
