"""Consoles that print to a terminal or a file, and whether they colour what they print."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from typing import TextIO

from rich.console import Console

WIDE = 10_000
"""Columns of what is no terminal: whoever reads a file folds its lines."""


class QuietlyBroken(Console):
    """Leaves a broken pipe to the caller; rich's own would end the program in the middle of a run."""

    def on_broken_pipe(self) -> None:
        """Raises `BrokenPipeError`."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


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
