"""Searching and counting: what a search found, page by page, also by scrolling."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.local.opensearch.indexes import Document, Indexes
from orchestrator.local.opensearch.queries import test_of
from orchestrator.local.opensearch.refusals import OpenSearchRefusal, illegal

WINDOW = 10_000
"""Hits that `from` and `size` reach at most (`index.max_result_window`)."""
PAGE = 10
"""Hits of a search that names no size."""

Hit = tuple[str, str, Document]
"""Index, id, document."""


@dataclass(slots=True)
class Scroll:
    """What a scroll has still to give."""

    total: int
    size: int
    source: Any
    left: list[Hit]


class Searches:
    """The searches of one node. Scrolls are forgotten with its process; they do not expire."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes
        self._scrolls: dict[str, Scroll] = {}

    def count(self, expression: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """How many documents the query means."""
        return {"count": len(self._hits(expression, body)), "_shards": _shards()}

    def search(self, expression: str, body: Mapping[str, Any], *, scroll: bool) -> Mapping[str, Any]:
        """A page of what the query means; with `scroll` the first, and the id that gives the next."""
        start, size, source = int(body.get("from", 0)), int(body.get("size", PAGE)), body.get("_source", True)
        if start + size > WINDOW:
            reason = "Result window is too large, from + size must be less than or equal to: "
            raise illegal(f"{reason}[{WINDOW}] but was [{start + size}]. See the scroll api")
        hits = self._hits(expression, body)
        answer = _answer(hits[start : start + size], len(hits), source)
        if not scroll:
            return answer
        name = uuid.uuid4().hex
        self._scrolls[name] = Scroll(len(hits), size, source, hits[start + size :])
        return {"_scroll_id": name, **answer}

    def scroll(self, name: str) -> Mapping[str, Any]:
        """The next page. Raises OpenSearchRefusal for a scroll that is not, or no longer, there."""
        there = self._scrolls.get(name)
        if there is None:
            raise OpenSearchRefusal(404, "search_context_missing_exception", f"No search context found for id [{name}]")
        page, there.left = there.left[: there.size], there.left[there.size :]
        return {"_scroll_id": name, **_answer(page, there.total, there.source)}

    def _hits(self, expression: str, body: Mapping[str, Any]) -> list[Hit]:
        meant = test_of(body.get("query"))
        return [
            (index.name, key, document)
            for index in self._indexes.named(expression)
            for key, document in sorted(index.found.items(), key=lambda item: item[1].number)
            if meant(key, document)
        ]


def _answer(page: Sequence[Hit], total: int, source: Any) -> Mapping[str, Any]:
    hits = [{"_index": index, "_id": key, "_score": 1.0, **_source(document, source)} for index, key, document in page]
    found = {"total": {"value": total, "relation": "eq"}, "max_score": 1.0 if hits else None, "hits": hits}
    return {"took": 1, "timed_out": False, "_shards": _shards(), "hits": found}


def _source(document: Document, wanted: Any) -> Mapping[str, Any]:
    if wanted is False:
        return {}
    if wanted is True:
        return {"_source": document.source}
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    return {"_source": {name: value for name, value in document.source.items() if name in names}}


def _shards() -> Mapping[str, int]:
    return {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
