"""What both counting programs tell of the documents' ids: the same of the same ones, in whatever order they come."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.index.count_opensearch import OpenSearchKeys
from orchestrator.index.count_vespa import SAMPLE, VespaKeys

CHUNKS = st.lists(st.tuples(st.text(), st.integers(0, 2**31)), unique=True, max_size=30)


def told(kind: Any, chunks: list[tuple[str, int]]) -> dict[str, Any]:
    keys = kind()
    for document, chunk in chunks:
        keys.add(document, chunk)
    found: dict[str, Any] = keys.told()
    return found


@given(CHUNKS)
def test_the_order_and_the_kind_of_index_make_no_difference(chunks: list[tuple[str, int]]) -> None:
    assert told(VespaKeys, chunks) == told(OpenSearchKeys, chunks[::-1])


@given(CHUNKS.filter(bool))
def test_one_that_is_missing_or_another_is_noticed(chunks: list[tuple[str, int]]) -> None:
    whole = told(VespaKeys, chunks)
    document, chunk = chunks[0]
    assert told(OpenSearchKeys, chunks[1:])["keys"] != whole["keys"]
    assert told(OpenSearchKeys, [(document, chunk + 2**32), *chunks[1:]])["keys"] != whole["keys"]


def test_vespa_writes_an_apostrophe_as_an_underscore() -> None:
    assert told(VespaKeys, [("O_Hara", 0)]) == told(OpenSearchKeys, [("O'Hara", 0)])


def test_the_sample_is_bounded() -> None:
    many = [(str(number), 0) for number in range(SAMPLE + 50)]
    assert len(told(VespaKeys, many)["sample"]) == SAMPLE
