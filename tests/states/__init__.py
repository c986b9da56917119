"""States of stacks in the wild, small and written by hand; names, accounts and passwords are invented.

Each is `terraform show -json` of one, with what must be understood of it in `expected.json`: `contract` (values and
where they are from), `open` (key → how the question begins, its options), `remarks` that must be among those made,
`problems`, `cures` (what `init` asks to end them), and `preflight`: every warning, each judged by hand to be true.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STATES = tuple(sorted(file.parent.name for file in FOLDER.glob("*/expected.json")))


def document(name: str, kind: str) -> Any:
    """`state` or `expected` of one."""
    return json.loads((FOLDER / name / f"{kind}.json").read_text())
