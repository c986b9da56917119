"""What Vespa's container answers over HTTP, as far as health, documents and their number go.

`/document/v1/NAMESPACE/TYPE/docid/ID` takes POST (put), GET and DELETE; `/document/v1/` visits, in pages of
`wantedDocumentCount` with a `continuation`; `/search/` answers with the number of all documents, whatever the query.
Left out: schemas, clusters, selections, conditions, real searches, eventual consistency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from orchestrator.local.ssm.tools import vespa

HEALTH = frozenset({"/state/v1/health", "/ApplicationStatus"})
ROOT = "/document/v1/"


@dataclass(frozen=True, slots=True)
class VespaAnswer:
    """Status and JSON body."""

    status: int
    body: Mapping[str, Any]


NOT_FOUND = VespaAnswer(404, {"message": "Not Found"})


def answer(method: str, url: str, body: str) -> VespaAnswer:
    """What it says to one request; changes the documents for POST and DELETE."""
    asked = urlsplit(url)
    if asked.path in HEALTH:
        return VespaAnswer(200, {"status": {"code": "up"}})
    if asked.port == 19071:
        return NOT_FOUND
    if asked.path == "/search/":
        return VespaAnswer(200, {"root": {"fields": {"totalCount": len(vespa.documents())}}})
    if asked.path == ROOT and method == "GET":
        return _visit({name: values[-1] for name, values in parse_qs(asked.query).items()})
    if asked.path.startswith(ROOT):
        return _document(method, asked.path.removeprefix(ROOT), body)
    return NOT_FOUND


def _visit(asked: Mapping[str, str]) -> VespaAnswer:
    found = sorted(vespa.documents().items())
    start, size = int(asked.get("continuation", "0")), int(asked.get("wantedDocumentCount", "1"))
    page = [_shown(path, fields) for path, fields in found[start : start + size]]
    more = {"continuation": str(start + size)} if start + size < len(found) else {}
    return VespaAnswer(200, {"pathId": ROOT, "documents": page, "documentCount": len(page), **more})


def _document(method: str, path: str, body: str) -> VespaAnswer:
    found = vespa.documents()
    if method == "GET":
        return VespaAnswer(200, _shown(path, found[path])) if path in found else VespaAnswer(404, {"id": _id(path)})
    if method == "DELETE":
        found.pop(path, None)
    else:
        try:
            found[path] = json.loads(body)["fields"]
        except (ValueError, KeyError, TypeError):
            return VespaAnswer(400, {"message": "a document is JSON with `fields`"})
    vespa.keep(found)
    return VespaAnswer(200, {"id": _id(path)})


def _shown(path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": _id(path), "fields": dict(fields)}


def _id(path: str) -> str:
    namespace, kind, _, name = path.split("/", 3)
    return f"id:{namespace}:{kind}::{name}"
