"""What is known of a stack, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

from rich.text import Text

from orchestrator.render.console import console_of
from orchestrator.render.document import MORE, document
from orchestrator.render.tables import Sheet
from orchestrator.stack.inference.mapping import dotted

if TYPE_CHECKING:
    from orchestrator.stack.inference import Inferred


def table(inferred: Inferred, out: TextIO, *, here: str = "", colours: bool | None = None) -> None:
    """Each key, where its value came from, and the value; then what is worth knowing. Files are named from `here`."""
    shown = Sheet("key", "from", "value")
    for key, one in inferred.found.items():
        value = "" if one.value is None else str(one.value)
        shown.add(dotted(key), Text(one.source.removeprefix(f"{here}/"), style="dim"), value)
    console = console_of(out, colours=colours)
    console.print(shown)
    for remark in inferred.remarks:
        console.print(Text(f"note: {remark}"))


def as_list(inferred: Inferred, told: Mapping[str, Any]) -> dict[str, Any]:
    """The same as one document for programs; `told` has the `questions` and `problems`, if there are any."""
    items = ({"key": dotted(key), "value": one.value, "source": one.source} for key, one in inferred.found.items())
    open_points = {name: told.get(name, []) for name in MORE["contract"]}
    return document("contract", items, **open_points)
