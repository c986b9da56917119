"""Takes docs/images/run.svg: what a terminal shows of `orchestrate run`, on a stack that Terraform has just made.

It is a real session: the program runs on a terminal of its own, on the local cloud, and what it writes is drawn.
"""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from orchestrator.local import world
from orchestrator.local.core import api
from orchestrator.local.endpoint import client

IMAGE = Path(__file__).resolve().parent.parent / "docs" / "images" / "run.svg"
COLUMNS = 92
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
            said = _recorded(Path(folder) / "stack", environment)
        finally:
            client.down(cloud)
    IMAGE.write_text(_drawn(said), encoding="utf-8")
    print(IMAGE)


def _recorded(stack: Path, environment: Mapping[str, str]) -> str:
    made = world.build(api.session(environment), endpoint=environment["AWS_ENDPOINT_URL"], tenants=["acme", "globex"])
    stack.mkdir()
    (stack / "contract.json").write_text(json.dumps(made))
    ours, theirs = pty.openpty()
    terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": "50"}
    command = [sys.executable, "-P", "-m", "orchestrator", "run", "--log-format", "text"]
    seen = bytearray()
    with subprocess.Popen(command, cwd=stack, env={**os.environ, **environment, **terminal}, stdout=theirs) as process:
        os.close(theirs)
        while part := _read(ours):
            seen += part
    os.close(ours)
    if process.returncode:
        raise SystemExit(seen.decode())
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # nobody writes to it any more
        return b""


def _drawn(said: str) -> str:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text("$ orchestrate run", style="bold"))
    for line in said.replace("\r", "").splitlines():
        console.print(Text.from_ansi(line), soft_wrap=True)
    return _FONT.sub("", console.export_svg(title="orchestrate run, on the local cloud", unique_id="run"))


if __name__ == "__main__":
    main()
