"""Which documents a query means. `match_all`, `ids`, `term`, `terms` and `bool` of them; all else is refused.

A term is compared with the field's whole value, as with a keyword. Left out: scores, analysers, vectors, aggregations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.local.opensearch.indexes import Document
from orchestrator.local.opensearch.refusals import OpenSearchRefusal

Test = Callable[[str, Document], bool]
"""Whether the document of this id is meant."""


def test_of(query: Mapping[str, Any] | None) -> Test:
    """Raises OpenSearchRefusal for what this double has not, or nobody has."""
    if not query:
        return lambda _key, _document: True
    if len(query) != 1:
        raise OpenSearchRefusal(400, "parsing_exception", "[query] malformed query, expected one key")
    ((kind, body),) = query.items()
    if kind not in _KINDS:
        raise OpenSearchRefusal(400, "parsing_exception", f"unknown query [{kind}]")
    return _KINDS[kind](body)


def _everything(_body: Any) -> Test:
    return lambda _key, _document: True


def _ids(body: Mapping[str, Any]) -> Test:
    wanted = frozenset(map(str, body["values"]))
    return lambda key, _document: key in wanted


def _term(body: Mapping[str, Any]) -> Test:
    ((name, wanted),) = body.items()
    value = wanted["value"] if isinstance(wanted, Mapping) else wanted
    return lambda key, document: value in _values(name, key, document)


def _terms(body: Mapping[str, Any]) -> Test:
    ((name, wanted),) = body.items()
    return lambda key, document: any(value in wanted for value in _values(name, key, document))


def _all_of(body: Mapping[str, Any]) -> Test:
    must = [test_of(one) for part in ("must", "filter") for one in _several(body.get(part))]
    never = [test_of(one) for one in _several(body.get("must_not"))]
    some = [test_of(one) for one in _several(body.get("should"))]

    def test(key: str, document: Document) -> bool:
        if any(one(key, document) for one in never) or not all(one(key, document) for one in must):
            return False
        return bool(must) or not some or any(one(key, document) for one in some)

    return test


def _several(part: Any) -> Sequence[Mapping[str, Any]]:
    return part if isinstance(part, list) else [part] if part else []


def _values(name: str, key: str, document: Document) -> Sequence[Any]:
    if name == "_id":
        return [key]
    value: Any = document.source
    for part in name.removesuffix(".keyword").split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value if isinstance(value, list) else [value]


_KINDS: Mapping[str, Callable[[Any], Test]] = {
    "match_all": _everything,
    "ids": _ids,
    "term": _term,
    "terms": _terms,
    "bool": _all_of,
}
