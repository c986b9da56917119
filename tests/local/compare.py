"""`python -m tests.local.compare FILE [OTHER]`: what a real account told that the local cloud doesn't.

FILE is what `scripts/smoke-aws` wrote. OTHER is what it wrote on a local cloud; without it the story is told on one now
(ten minutes). Prints a line for each difference; the exit status is 1 when there is one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.endpoint import client
from tests.smoke.differences import differences
from tests.smoke.shapes import read

SPEED = 60.0


def of_the_local_cloud(folder: Path) -> Path:
    """The record of the same story on a local cloud of its own."""
    running = client.up("compare", folder / "cloud", speed=SPEED)
    try:
        record = folder / "ours.jsonl"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORCHESTRATE_"))}
        subprocess.run(
            [sys.executable, "-P", "-m", "tests.smoke", "--yes", ACCOUNT, "--out", str(record)],
            cwd=folder,
            env=kept | client.ask(running, "env") | {"PYTHONPATH": str(Path(__file__).parents[2])},
            check=True,
        )
        return record
    finally:
        client.down(folder / "cloud")


def main(arguments: Sequence[str]) -> int:
    """Compare; 1: they differ."""
    with tempfile.TemporaryDirectory(prefix="orchestrate-compare-") as folder:
        other = Path(arguments[1]) if len(arguments) > 1 else of_the_local_cloud(Path(folder))
        found = differences(read(Path(arguments[0])), read(other))
    for line in found:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{len(found)} differences\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
