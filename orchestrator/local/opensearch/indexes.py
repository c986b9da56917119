"""The indexes of a node: their settings and documents, in memory and, at every change, on the instance's data volume.

A document is found by its id at once, by a search only after a refresh, which comes by itself a second after a change.
Left out: shards, segments, analysers; mappings are kept and not enforced.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.local.opensearch.refusals import OpenSearchRefusal, illegal, no_index, read_only

REFRESH = 1.0
"""Seconds until a search finds what was written (`index.refresh_interval`)."""
FLOOD_STAGE, HIGH_WATERMARK = 95.0, 90.0
"""Percent of the disk: above the first, indexes become read-only; below the second, OpenSearch lifts that itself."""
_NAME = re.compile(r"[a-z0-9][^A-Z\s\\/*?\"<>|,#:]*")
_LONGEST = 255
_BLOCK = "read_only_allow_delete"

Source = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was last written."""

    source: Source
    version: int
    number: int
    """Its sequence number in the index."""


@dataclass(slots=True)
class Index:
    """One index. `found` is what a search sees."""

    name: str
    uid: str
    settings: dict[str, Any]
    mappings: dict[str, Any]
    documents: dict[str, Document] = field(default_factory=dict)
    found: dict[str, Document] = field(default_factory=dict)
    written: float | None = None
    """When something was written that no search finds yet."""
    numbers: int = 0
    blocked: bool = False

    @property
    def replicas(self) -> int:
        """Copies that a second node would hold: on one node they are assigned to nobody."""
        return int(self.settings.get("index", {}).get("number_of_replicas", 1))

    def refresh(self) -> None:
        """Searches find all that was written."""
        self.found, self.written = dict(self.documents), None


class Indexes:
    """All indexes of one data folder. Not thread-safe: the node has one request at a time changed or read."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder = folder / "indices"
        self._disk = folder / "disk.percent"
        self._now = now
        self._all: dict[str, Index] = {}
        self._read()

    @property
    def disk(self) -> float:
        """How full the disk is, in percent: what a fault has written beside the data, else hardly anything."""
        return float(self._disk.read_text()) if self._disk.exists() else 3.0

    def __iter__(self) -> Iterator[Index]:
        self._watch_disk()
        for one in self._all.values():
            if one.written is not None and self._now() - one.written >= REFRESH:
                one.refresh()
        return iter(sorted(self._all.values(), key=lambda one: one.name))

    def named(self, expression: str) -> list[Index]:
        """Those that are meant: names, `*` in them, `-` before what is left out. Refused where one is nobody's."""
        found: dict[str, Index] = {}
        for name in expression.split(","):
            if name.startswith("-"):
                never = re.escape(name[1:]).replace(r"\*", ".*")
                found = {it: one for it, one in found.items() if not re.fullmatch(never, it)}
                continue
            pattern = re.escape("*" if name == "_all" else name).replace(r"\*", ".*")
            met = {one.name: one for one in self if re.fullmatch(pattern, one.name)}
            if not met and "*" not in name and name != "_all":
                raise no_index(name)
            found |= met
        return list(found.values())

    def one(self, name: str) -> Index:
        """The index of this name. Raises OpenSearchRefusal without one."""
        met = next((one for one in self if one.name == name), None)
        if met is None:
            raise no_index(name)
        return met

    def create(self, name: str, settings: Mapping[str, Any], mappings: Mapping[str, Any]) -> Index:
        """A new, empty one. Raises OpenSearchRefusal where there is one, or the name is none."""
        if not _NAME.fullmatch(name) or len(name.encode()) > _LONGEST:
            why = "must be lowercase" if name != name.lower() else "must not contain or begin with special characters"
            reason = f"Invalid index name [{name}], {why}"
            raise OpenSearchRefusal(400, "invalid_index_name_exception", reason, index=name)
        if there := self._all.get(name):
            reason = f"index [{name}/{there.uid}] already exists"
            raise OpenSearchRefusal(400, "resource_already_exists_exception", reason, index=name, index_uuid=there.uid)
        made = Index(name, uuid.uuid4().hex[:22], _nested(settings), dict(mappings))
        self.put(made)
        return made

    def put(self, index: Index) -> None:
        """It is there from now on, as it is."""
        self._all[index.name] = index
        self._write(index)

    def delete(self, name: str) -> None:
        """Gone with its documents: allowed however full the disk is."""
        del self._all[self.one(name).name]
        (self._folder / f"{name}.json").unlink(missing_ok=True)

    def configure(self, name: str, settings: Mapping[str, Any]) -> None:
        """Other settings; null takes one away."""
        index = self.one(name)
        for key, value in _nested(settings).get("index", {}).items():
            if key == "blocks" and _BLOCK in value:
                index.blocked = str(value[_BLOCK]).lower() == "true"
            else:
                index.settings.setdefault("index", {})[key] = value
        self._write(index)

    def write(
        self, name: str, identity: str | None, source: Source | None, *, only_new: bool = False
    ) -> tuple[str, Any]:
        """Write a document (source None: delete it): its id and what became of it (`created`, `updated`, …).

        The index is made where there is none. Refused where it is read-only, or a new one is there.
        """
        index = self._all.get(name) or self.create(name, {}, {})
        self._watch_disk()
        if index.blocked:
            raise read_only(name)
        key = identity or uuid.uuid4().hex[:20]
        before = index.documents.get(key)
        if before and only_new:
            reason = f"[{key}]: version conflict, document already exists (current version [{before.version}])"
            raise OpenSearchRefusal(409, "version_conflict_engine_exception", reason, index=name, index_uuid=index.uid)
        if source is None:
            index.documents.pop(key, None)
            result = "deleted" if before else "not_found"
        else:
            index.documents[key] = Document(source, before.version + 1 if before else 1, index.numbers)
            result = "updated" if before else "created"
        index.numbers += 1
        index.written = self._now() if index.written is None else index.written
        return key, result

    def keep(self, names: set[str]) -> None:
        """What was written into these is on the disk."""
        for name in names & self._all.keys():
            self._write(self._all[name])

    def _watch_disk(self) -> None:
        for one in self._all.values():
            one.blocked = (one.blocked and self.disk >= HIGH_WATERMARK) or self.disk >= FLOOD_STAGE

    def _read(self) -> None:
        for file in sorted(self._folder.glob("*.json")):
            said = json.loads(file.read_text())
            documents = {key: Document(*one) for key, one in said["documents"].items()}
            index = Index(said["name"], said["uid"], said["settings"], said["mappings"], documents)
            index.numbers = said["numbers"]
            index.refresh()
            self._all[index.name] = index

    def _write(self, index: Index) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        draft = self._folder / f"{index.name}.new"
        draft.write_text(json.dumps(dumped(index)))
        draft.replace(self._folder / f"{index.name}.json")


def dumped(index: Index) -> dict[str, Any]:
    """An index as JSON."""
    documents = {key: [one.source, one.version, one.number] for key, one in index.documents.items()}
    return {
        "name": index.name,
        "uid": index.uid,
        "settings": index.settings,
        "mappings": index.mappings,
        "numbers": index.numbers,
        "documents": documents,
    }


def _nested(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings below `index`, whether they are written with dots, without `index`, or nested."""
    found: dict[str, Any] = {}
    for key, value in settings.items():
        where, *path = key.split(".")
        if where != "index":
            where, path = "index", [where, *path]
        if not path:
            if not isinstance(value, Mapping):
                raise illegal(f"unknown setting [{key}] please check that any required plugins are installed")
            found.setdefault("index", {}).update(_nested(value)["index"] if value else {})
            continue
        place = found.setdefault("index", {})
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return found or {"index": {}}
