"""The fixes that are commands, run as a person would: typed as they stand, with nothing filled in."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PLACEHOLDER = re.compile(r"[<>…]|file://|--desired-count N\b|\bGROUP\b")
"""What a person has to fill in."""
_PROGRAMS = ("aws ", "orchestrate ")
_LONGEST = 300
"""Real seconds: on a busy machine a command line takes twenty to begin."""


def commands(fix: str) -> tuple[tuple[str, ...], ...]:
    """The commands that the fix begins with, in their order; empty: a person has to think, or to fill in something."""
    return tuple(_commands(fix))


def _commands(fix: str) -> Iterator[tuple[str, ...]]:
    for part in fix.split("; "):
        text = re.split(r" \(|: | and then | \[", part.strip(), maxsplit=1)[0].rstrip(".,")
        if not text.startswith(_PROGRAMS) or PLACEHOLDER.search(text):
            return
        yield tuple(shlex.split(text))


def run(command: tuple[str, ...], contract: Mapping[str, Any], folder: Path) -> str:
    """Type it, and say yes where it asks; why AWS refused it (empty: it did not).

    What the program itself ends with is seen on the stack.
    """
    program, *rest = command
    argv = [str(Path(sys.executable).parent / program), *rest]
    if program == "orchestrate":
        file = folder / "contract.json"
        file.write_text(json.dumps(contract), encoding="utf-8")
        argv += ["--contract", str(file), "--database-transport", "direct"]
        argv += ["--auto-approve"] if {"--fix", "continue"} & set(rest) else []
    made = subprocess.run(
        argv, capture_output=True, text=True, timeout=_LONGEST, check=False, cwd=folder, env=os.environ
    )
    refused = made.returncode and program == "aws"
    return f"{shlex.join(command)} ended with {made.returncode}: {made.stderr[-300:]}" if refused else ""
