"""The guide's scripts are thin calls of orchestrate."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.terraform.conftest import ROOT


def test_safe_destroy_is_orchestrate_destroy(tmp_path: Path) -> None:
    program = tmp_path / "orchestrate"
    program.write_text('#!/bin/sh\nprintf "%s|" "$@"\nexit 3\n')
    program.chmod(0o755)
    done = subprocess.run(
        [ROOT / "scripts" / "safe-destroy.sh", "-var-file=our prod.tfvars", "--confirm", "onyx-prod"],
        env={**os.environ, "ORCHESTRATE": str(program)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("destroy|-var-file=our prod.tfvars|--confirm|onyx-prod|", 3)
