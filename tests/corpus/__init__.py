"""Stacks as Terraform sees them, made by scripts/corpus.py: what a plan and a state of each really look like."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STACKS = tuple(sorted(file.parent.name for file in FOLDER.glob("*/expected.json")))


def document(stack: str, kind: str) -> Any:
    """`plan`, `state` or `expected` of a stack."""
    file = FOLDER / stack / f"{kind}.json"
    text = file.read_bytes() if file.exists() else gzip.decompress(file.with_name(f"{kind}.json.gz").read_bytes())
    return json.loads(text)
