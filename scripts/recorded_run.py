"""Takes docs/images/run.svg: what a terminal shows of `orchestrate run`, on a stack that Terraform has just made.

It is a real session: the program runs on a terminal of its own, on the local cloud, with its live view, and what that
terminal shows in the end is drawn.
"""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path

import pyte
from rich.color import ANSI_COLOR_NAMES
from rich.console import Console
from rich.style import Style
from rich.text import Text

from orchestrator.local import world
from orchestrator.local.core import api
from orchestrator.local.endpoint import client

IMAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "run.svg"
COLUMNS, LINES = 100, 60
SPEED = 30.0
_FONT = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
"""Would be fetched from elsewhere; a reader's own will do."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="recorded-run-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL runs as another user
        cloud = Path(folder) / "cloud"
        running = client.up("recorded", cloud, speed=SPEED)
        try:
            environment = client.ask(running, "env")
            screen = _recorded(Path(folder) / "stack", environment)
        finally:
            client.down(cloud)
    IMAGE.write_text(_drawn(screen), encoding="utf-8")
    print(IMAGE)


def _recorded(stack: Path, environment: Mapping[str, str]) -> pyte.Screen:
    """The terminal, when the run has ended."""
    made = world.build(api.session(environment), endpoint=environment["AWS_ENDPOINT_URL"], tenants=["acme", "globex"])
    stack.mkdir()
    (stack / "contract.json").write_text(json.dumps(made))
    screen = pyte.Screen(COLUMNS, LINES)
    terminal = pyte.ByteStream(screen)
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    command = [sys.executable, "-P", "-m", "orchestrator", "run"]
    own = {**os.environ, **environment, "TERM": "xterm-256color"}
    with subprocess.Popen(command, cwd=stack, env=own, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        while part := _read(ours):
            terminal.feed(part)
    os.close(ours)
    if process.returncode:
        raise SystemExit("\n".join(screen.display))
    return screen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""


def _drawn(screen: pyte.Screen) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ orchestrate run", style="bold"))
    shown = [Text.assemble(*_line(screen, row)) for row in range(LINES)]
    while shown and not shown[-1].plain.strip():
        shown.pop()
    for line in shown:
        line.rstrip()
        console.print(line, soft_wrap=True)
    return _FONT.sub("", console.export_svg(title="orchestrate run, on the local cloud", unique_id="run"))


def _line(screen: pyte.Screen, row: int) -> Iterator[tuple[str, Style]]:
    cells = [screen.buffer[row][column] for column in range(COLUMNS)]
    for (colour, bold), part in groupby(cells, lambda cell: (cell.fg, cell.bold)):
        name = {"brown": "yellow"}.get(colour, colour)
        yield "".join(cell.data for cell in part), Style(color=name if name in ANSI_COLOR_NAMES else None, bold=bold)


if __name__ == "__main__":
    main()
