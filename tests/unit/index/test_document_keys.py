"""What the counting programs tell of the documents' ids: the same of the same ones, in whatever order they come."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.index.document_keys import SAMPLE, DocumentKeys

CHUNKS = st.lists(st.tuples(st.text(), st.integers(0, 2**31)), unique=True, max_size=30)


def told(chunks: list[tuple[str, int]]) -> dict[str, Any]:
    keys = DocumentKeys()
    for document, chunk in chunks:
        keys.add(document, chunk)
    return keys.told()


@given(CHUNKS)
def test_the_order_makes_no_difference(chunks: list[tuple[str, int]]) -> None:
    assert told(chunks) == told(chunks[::-1])


@given(CHUNKS.filter(bool))
def test_one_that_is_missing_or_another_is_noticed(chunks: list[tuple[str, int]]) -> None:
    whole = told(chunks)
    document, chunk = chunks[0]
    assert told(chunks[1:])["keys"] != whole["keys"]
    assert told([(document, chunk + 2**32), *chunks[1:]])["keys"] != whole["keys"]


def test_vespa_writes_an_apostrophe_as_an_underscore() -> None:
    assert told([("O_Hara", 0)]) == told([("O'Hara", 0)])


def test_the_sample_is_bounded() -> None:
    many = [(str(number), 0) for number in range(SAMPLE + 50)]
    assert len(told(many)["sample"]) == SAMPLE
