"""`_bulk`: many documents in one request of JSON lines. Each is answered for itself; wrong lines refuse the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.local.opensearch.indexes import Indexes
from orchestrator.local.opensearch.refusals import OpenSearchRefusal, illegal

ACTIONS = frozenset({"index", "create", "update", "delete"})


@dataclass(frozen=True, slots=True)
class Action:
    """One line of what to do, with the document below it (None: the action has none)."""

    verb: str
    index: str
    identity: str | None
    document: Mapping[str, Any] | None


def bulk(indexes: Indexes, body: str, default: str | None) -> Mapping[str, Any]:
    """Do all of it. Raises OpenSearchRefusal, with nothing done, where the lines are not what `_bulk` takes."""
    actions = list(_actions(body, default))
    items = [{one.verb: _done(indexes, one)} for one in actions]
    indexes.keep({one.index for one in actions})
    return {"took": 1, "errors": any("error" in one for item in items for one in item.values()), "items": items}


def _actions(body: str, default: str | None) -> Iterator[Action]:
    if not body.endswith("\n"):
        raise illegal("The bulk request must be terminated by a newline [\\n]")
    lines = iter([line for line in body.split("\n") if line])
    for number, line in enumerate(lines, 1):
        try:
            ((verb, where),) = json.loads(line).items()
        except (ValueError, AttributeError):
            raise illegal(f"Malformed action/metadata line [{number}], expected START_OBJECT") from None
        if verb not in ACTIONS:
            wanted = "expected field [create], [delete], [index] or [update]"
            raise illegal(f"Malformed action/metadata line [{number}], {wanted} but found [{verb}]")
        name = where.get("_index", default)
        if not name:
            raise OpenSearchRefusal(
                400, "action_request_validation_exception", "Validation Failed: 1: index is missing;"
            )
        document = None if verb == "delete" else _document(next(lines, ""), number)
        yield Action(verb, name, where.get("_id"), document)


def _document(line: str, number: int) -> Mapping[str, Any]:
    try:
        said = json.loads(line)
    except ValueError:
        raise illegal(f"Malformed content below action/metadata line [{number}]") from None
    document: Mapping[str, Any] = said
    return document


def _done(indexes: Indexes, one: Action) -> Mapping[str, Any]:
    try:
        source = _updated(indexes, one) if one.verb == "update" else one.document
        key, result = indexes.write(one.index, one.identity, source, only_new=one.verb == "create")
    except OpenSearchRefusal as refusal:
        return {"_index": one.index, "_id": one.identity, "status": refusal.status, "error": refusal.cause}
    return {"_index": one.index, "_id": key, "result": result, "status": STATUSES[result]}


def _updated(indexes: Indexes, one: Action) -> Mapping[str, Any]:
    """A partial document over the one that is there. Raises OpenSearchRefusal without one."""
    there = indexes.one(one.index).documents.get(one.identity or "")
    document = one.document or {}
    if there is None and not document.get("doc_as_upsert"):
        raise OpenSearchRefusal(
            404, "document_missing_exception", f"[{one.identity}]: document missing", index=one.index
        )
    return {**(there.source if there else {}), **document.get("doc", {})}


STATUSES = {"created": 201, "updated": 200, "deleted": 200, "not_found": 404}
