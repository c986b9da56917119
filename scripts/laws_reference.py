"""The page docs/reference/laws.md: every law of the local cloud, its rows and who says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from orchestrator.local import laws


def lines() -> Iterator[str]:
    """A section for each law, in the order in which they refuse."""
    yield "What AWS refuses, or answers differently from what a simple stand-in would: the [local"
    yield "cloud](../explanation/local-cloud.md) does the same. Each law is a file in `orchestrator/local/laws/`."
    yield ""
    for law in laws.catalogue():
        yield f"## {law.title}"
        yield ""
        yield _docstring(law)
        yield ""
        yield "| What | How much | Source |"
        yield "|---|---|---|"
        for row in law.rows():
            yield f"| {_cell(row.subject)} | {_cell(row.rule)} | {_source(row.source)} |"
        yield ""


def _docstring(law: laws.Law) -> str:
    return " ".join((sys.modules[law.begin.__module__].__doc__ or "").split())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _source(text: str) -> str:
    return f"[{text.rpartition('/')[2].removesuffix('.html')}]({text})" if text.startswith("https://") else _cell(text)
