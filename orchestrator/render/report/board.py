"""One page of several stacks: how each was when it was looked at last, with links to its pages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.render.report.page import environment


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A stack. `outcome` is that of `status`; empty: it was not looked at yet. `last_run`: command and outcome."""

    name: str
    outcome: str = ""
    at: str = ""
    problem: str = ""
    last_run: str = ""


def board_page(rows: Sequence[BoardRow], base: str = "") -> str:
    """The whole document. `base` is the way from its address to the folder of the stacks' pages."""
    return environment().get_template("board.html.j2").render(rows=rows, base=base)
