"""What is known of a stack, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.stack.inference.mapping import dotted

if TYPE_CHECKING:
    from orchestrator.stack.inference import Inferred


def table(inferred: Inferred, out: TextIO) -> None:
    """Each key, its value and where that came from; then what is worth knowing."""
    shown = Table("key", "value", "from", box=None, pad_edge=False)
    for key, one in inferred.found.items():
        value = "" if one.value is None else str(one.value)
        shown.add_row(dotted(key), Text(value), Text(one.source, style="dim"))
    console = Console(file=out, highlight=False, soft_wrap=True, width=None if out.isatty() else 240)
    console.print(shown)
    for remark in inferred.remarks:
        console.print(Text(f"note: {remark}"))
