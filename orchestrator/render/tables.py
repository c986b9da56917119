"""Tables that can be read at any width, and searched in a file.

All columns but the last are shown whole, one line a row; the last one folds. Where not even that fits, nothing is
folded, and the terminal wraps each row: no column vanishes. In a file nothing is folded and nothing is padded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.table import Column, Table
from rich.text import Text

from orchestrator.render.console import console_of

NARROWEST = 20
"""Cells that the last column keeps, however narrow the terminal is."""

_BETWEEN = 2
"""Blanks between two columns."""


class Sheet:
    """A table, being filled; a console prints it."""

    def __init__(self, *columns: str) -> None:
        *fixed, last = columns
        named = (*(Column(name, no_wrap=True) for name in fixed), Column(last, overflow="fold"))
        self._table = Table(*named, box=None, pad_edge=False, padding=(0, _BETWEEN, 0, 0))
        self._fixed = [len(name) for name in fixed]
        self._last = len(last)

    def add(self, *cells: Text | str) -> None:
        """A row. Texts are taken as they are written, without markup."""
        texts = [Text(cell) if isinstance(cell, str) else cell for cell in cells]
        *fixed, last = texts
        self._fixed = [max(width, text.cell_len) for width, text in zip(self._fixed, fixed, strict=True)]
        self._last = max(self._last, last.cell_len)
        self._table.add_row(*texts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """In the width of the terminal where it is one, else as wide as it is."""
        between = _BETWEEN * len(self._fixed)
        least = sum(self._fixed) + between + min(self._last, NARROWEST)
        whole = sum(self._fixed) + between + self._last
        folds = console.is_terminal and options.max_width >= least
        width = min(whole, options.max_width) if folds else whole
        for line in console.render_lines(self._table, options.update(width=width), pad=False):
            yield from _unpadded(line)
            yield Segment.line()


def write(sheet: Sheet, out: TextIO, *, colours: bool | None = None) -> None:
    """To a terminal or a file; `colours` as `console_of` takes it."""
    console_of(out, colours=colours).print(sheet)


def _unpadded(line: list[Segment]) -> Iterator[Segment]:
    """Without the blanks at its end."""
    kept = list(line)
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        last = kept.pop()
        yield from kept
        yield Segment(last.text.rstrip(), last.style, last.control)
