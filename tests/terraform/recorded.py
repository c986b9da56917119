"""A terraform that answers with what the real one said of a stack of the corpus. It only reads: nothing else is there.

`chatter`: what a wrapper in CI prints around the answer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import corpus

PROGRAM = """#!/bin/sh
{chatter}
case "$1" in
  version) echo '{{"terraform_version": "1.11.4"}}' ;;
  output) cat '{folder}/outputs.json' ;;
  show) cat '{folder}/state.json' ;;
  workspace) echo default ;;
  *) echo "this one only reads, not $1" >&2; exit 1 ;;
esac
{chatter}
"""


@dataclass(frozen=True)
class Ended:
    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Recorded:
    """A directory whose Terraform knows one stack."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def directory(self) -> Path:
        return self.folder / "stack"

    @property
    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        return kept | {"HOME": str(self.folder)} | self.variables

    def orchestrate(self, *arguments: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "orchestrator", *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        ended = self.orchestrate(*arguments)
        assert ended.stdout, ended.stderr
        return json.loads(ended.stdout)

    @property
    def file(self) -> Path:
        return self.directory / "orchestrate.toml"


def recorded(
    folder: Path, stack: str, *, name: str = "terraform", chatter: str = "", on_path: bool = False
) -> Recorded:
    """Of the corpus. The program is TERRAFORM_BIN, or the first of its name on PATH."""
    return stood(folder, corpus.document(stack, "state"), name=name, chatter=chatter, on_path=on_path)


def stood(folder: Path, state: Any, *, name: str = "terraform", chatter: str = "", on_path: bool = False) -> Recorded:
    """Of any state, as `terraform show -json` would say it."""
    (folder / "stack").mkdir()
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "outputs.json").write_text(json.dumps(state.get("values", {}).get("outputs", {})))
    program = folder / "bin" / name
    program.parent.mkdir()
    program.write_text(PROGRAM.format(folder=folder, chatter=f"echo '{chatter}'" if chatter else ""))
    program.chmod(0o755)
    if on_path:
        return Recorded(folder, {"PATH": f"{program.parent}:/usr/bin:/bin"})
    return Recorded(folder, {"TERRAFORM_BIN": str(program)})
