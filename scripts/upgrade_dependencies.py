"""Writes constraints.txt anew: the newest of all that pyproject.toml allows, for each platform, with its hashes.

constraints-postgres.txt is the same for the wheel that stands in for a PostgreSQL that a machine has not.

No index is named in it: whoever installs from it uses an index of theirs, and the hashes say whether it has the same
files. Of what an installation needs (development and extras left out) it also writes a software bill of materials,
sbom.cdx.json (CycloneDX), which the wheel carries in its `sboms` (PEP 770).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from scripts.setup import LOCKED, POSTGRES_LOCKED, POSTGRES_WHEEL, ROOT, find_uv

HEAD = "# Made by `make upgrade-dependencies` from pyproject.toml: what `make setup` installs.\n"
BILL = "sbom.cdx.json"
OLDEST_PYTHON = "3.11"
_EVERYWHERE = (
    *("--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"),
    *("--no-header", "--no-annotate", "--no-emit-index-url", "--no-emit-find-links"),
)


def compiled(uv: Path, *options: str, of: str = "pyproject.toml", said: str = "") -> str:
    """Pins with hashes, one below the other. `of`: a file, or `-` for what is `said`."""
    command = [uv, "pip", "compile", of, "--quiet", *options, *_EVERYWHERE]
    done = subprocess.run(list(map(str, command)), cwd=ROOT, input=said, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout


def main() -> int:
    uv = find_uv()
    if uv is None:
        print("this needs uv, which could not be installed", file=sys.stderr)
        return 1
    (ROOT / LOCKED).write_text(HEAD + compiled(uv, "--upgrade", "--all-extras", "--group", "dev"), encoding="utf-8")
    postgres = compiled(uv, "--upgrade", "--constraint", LOCKED, of="-", said=POSTGRES_WHEEL)
    (ROOT / POSTGRES_LOCKED).write_text(HEAD + postgres, encoding="utf-8")
    needed = compiled(uv, "--constraint", LOCKED)
    bill = [
        *(sys.executable, "-m", "cyclonedx_py", "requirements", "-", "--pyproject", "pyproject.toml"),
        *("--short-PURLs", "--output-reproducible", "--output-file", BILL),
    ]
    subprocess.run(bill, cwd=ROOT, input=needed, text=True, check=True)
    print(f"written: {LOCKED}, {POSTGRES_LOCKED}, {BILL}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
