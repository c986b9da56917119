"""The command lines of a page of the docs, as somebody would type them who reads it from its beginning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[2]
SHELL = frozenset({"sh", "bash", "console"})
"""The words behind a fence whose block is typed into a shell; in `console` lines begin with `$ `."""
_COMMENT = re.compile(r"(?:^|\s{2,})#\s.*$")
_CONTINUES = re.compile(r"\\\n\s*")


def every_page() -> tuple[str, ...]:
    """README, the tutorial and every how-to, by their paths from the root."""
    how_to = sorted(str(file.relative_to(ROOT)) for file in (ROOT / "docs" / "how-to").glob("*.md"))
    return ("README.md", "docs/tutorial.md", *how_to)


def commands(page: str) -> Iterator[str]:
    """Line by line, without comments."""
    for token in MarkdownIt().parse((ROOT / page).read_text(encoding="utf-8")):
        if token.type == "fence" and token.info.strip() in SHELL:
            for line in _CONTINUES.sub("", token.content).splitlines():
                if typed := _COMMENT.sub("", line).strip().removeprefix("$ "):
                    yield typed
