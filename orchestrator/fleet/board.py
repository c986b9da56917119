"""An order while it is carried out, on a terminal: which stacks have ended, which are under way, how many wait.

`drawn` is pure; `OrderBoard` shows it, below the lines that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from orchestrator.fleet.engine import OrderStatus
from orchestrator.render.live import span


def drawn(seen: OrderStatus, under_way: Mapping[str, float], now: datetime, *, width: int, height: int) -> list[Text]:
    """A head, and a line for each stack that is under way (since when, in seconds since the epoch).

    Those that have ended since `under_way` was read are not: `seen` was read after it.
    """
    under_way = {name: since for name, since in under_way.items() if name not in {one.stack for one in seen.results}}
    failed = sum(one.failed for one in seen.results)
    ended, all_ = len(seen.results), len(seen.order.stacks)
    waiting = max(0, all_ - ended - len(under_way))
    said = [f"{ended}/{all_} stacks", f"{len(under_way)} under way", f"{waiting} waiting"]
    said += [f"{failed} failed"] if failed else []
    head = f"{seen.order.verb} · {span(now.timestamp() - seen.began)} · {' · '.join(said)}"
    lines = [Text(head, style="bold")]
    oldest = sorted(under_way.items(), key=lambda pair: (pair[1], pair[0]))
    lines += [Text(f"  ▸ {name} {span(now.timestamp() - since)}", style="cyan") for name, since in oldest]
    if len(lines) > height:
        lines = [*lines[: height - 1], Text(f"  … and {len(lines) - height + 1} more", style="dim")]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines


class OrderBoard:
    """On this console; nothing is left of it when it ends."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """While it lasts, what is printed on the console stands above it."""
        with self._live:
            yield

    def take(self, seen: OrderStatus, under_way: Mapping[str, float], now: datetime) -> None:
        """What there is now."""
        size = self._console.size
        lines = drawn(seen, under_way, now, width=size.width, height=max(2, size.height - 2))
        self._live.update(Group(*lines), refresh=True)
