"""Consoles that print to a terminal or a file, and whether they colour what they print."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

WIDE = 10_000
"""Columns of what is no terminal: whoever reads a file folds its lines."""
ROOM = 40
"""Columns that a line's words need beside what stands before them; with less, they begin below it."""
_MARGIN = 4


class QuietlyBroken(Console):
    """Leaves a broken pipe to the caller; rich's own would end the program in the middle of a run."""

    def on_broken_pipe(self) -> None:
        """Raises `BrokenPipeError`."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class Folded:
    """A line that a terminal's width folds between its words, below where they begin; in a file it is one line.

    Only for what is read. What is there to be copied is left to the terminal to wrap, which copies it as one line.
    """

    def __init__(self, before: Text, words: Text) -> None:
        self._before = before
        self._words = words

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Line by line."""
        indent, before, words = self._before.cell_len, self._before, self._words
        if options.max_width < indent + ROOM:
            indent, before, words = _MARGIN, Text(), self._before.copy().append_text(words)
        lines = words.wrap(console, max(options.max_width - indent, 1), overflow="fold")
        for at, part in enumerate(lines or [Text()]):
            start = Text(" " * indent) if at else before.copy()
            whole = start.append_text(part)
            whole.rstrip()
            yield whole


def coloured(environment: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: NO_COLOR says no, FORCE_COLOR and CLICOLOR_FORCE yes, CLICOLOR=0 no; else a terminal's.

    An empty variable says nothing (no-color.org, force-color.org, bixense.com/clicolors).
    """
    if environment.get("NO_COLOR"):
        return False
    forced = environment.get("FORCE_COLOR") or environment.get("CLICOLOR_FORCE")
    if forced:
        return forced != "0"
    return terminal and environment.get("CLICOLOR") != "0" and environment.get("TERM") not in ("dumb", "unknown")


def console_of(out: TextIO, *, colours: bool | None = None) -> Console:
    """One that leaves lines to the terminal, or the file, to wrap. `colours` None: on a terminal alone."""
    terminal = out.isatty()
    shown = terminal if colours is None else colours
    return QuietlyBroken(
        file=out,
        highlight=False,
        soft_wrap=True,
        width=None if terminal else WIDE,
        force_terminal=terminal or shown,
        color_system="auto" if shown else None,
        no_color=not shown,
    )
