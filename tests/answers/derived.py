"""`answers.json`: for each operation, the paths that AWS's recorded answers have. Written by `python -m tests.answers`.

The records themselves are somebody else's data and not part of the project: what is derived from them is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.answers.shapes import SERVICES, model, shape

RECORDED = Path(__file__).parents[3] / "shared" / "recorded"
FILE = Path(__file__).with_name("answers.json")
Table = Mapping[str, list[str]]


def recorded(folder: Path = RECORDED) -> Mapping[str, list[Mapping[str, Any]]]:
    """`service:Operation` → its answers."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for file in sorted(folder.glob("*/*.json")):
        service, operation = SERVICES.get(file.parent.name, file.parent.name), file.name.partition(".")[0]
        if operation in model(service).operation_names:  # of load balancers there are two kinds
            found.setdefault(f"{service}:{operation}", []).append(json.loads(file.read_text())["answer"])
    return found


def derive(folder: Path = RECORDED) -> dict[str, list[str]]:
    """The table, from the records."""
    return {name: sorted(shape(name, answers)) for name, answers in recorded(folder).items()}


def table() -> dict[str, list[str]]:
    """The table, as it is in the project."""
    known: dict[str, list[str]] = json.loads(FILE.read_text())
    return known
