"""The program that runs on an index's instance, sent there over SSM. It has Python 3.9 alone.

Its words are a mode, the container's name and where in it the data are. Modes: `look` (does the container run), `where`
(the EBS volume it is on), `stop`, `start`. It prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Tuple  # noqa: UP035 - Python 3.9

STOPPING = "120"
"""Seconds the index has to write everything down."""


def run(*argv: str) -> Tuple[int, str, str]:  # noqa: UP006
    """Status, output, errors."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr.strip()[-400:]


def docker(*argv: str) -> str:
    """Its output; exits with its complaint when it fails."""
    status, output, errors = run("docker", *argv)
    if status:
        sys.exit(errors or "docker failed")
    return output.strip()


def running(container: str) -> bool:
    """Whether the container runs."""
    return docker("inspect", "-f", "{{.State.Running}}", container) == "true"


def where(container: str, data: str) -> str:
    """The volume's id; empty where that can't be told. EBS says it as the serial number of an NVMe device."""
    held = '{{range .Mounts}}{{if eq .Destination "' + data + '"}}{{.Source}}{{end}}{{end}}'
    try:
        _, source, _ = run("docker", "inspect", "-f", held, container)
        _, device, _ = run("findmnt", "-n", "-o", "SOURCE", "-T", source.strip() or data)
        _, serials, _ = run("lsblk", "-n", "-s", "-o", "SERIAL", device.strip())
    except FileNotFoundError:  # of a small system
        return ""
    found = [one.strip() for one in serials.splitlines() if one.strip().startswith("vol")]
    return "vol-" + found[0][3:].lstrip("-") if found else ""


def main() -> None:
    """One mode, one JSON line."""
    mode, container, data = sys.argv[1:4]
    if mode == "stop":
        docker("stop", "-t", STOPPING, container)
        run("sync")
    elif mode == "start":
        docker("start", container)
    answer = {"volume": where(container, data)} if mode == "where" else {"running": running(container)}
    print(json.dumps(answer))  # noqa: T201 - its standard output is the answer


if __name__ == "__main__":
    main()
