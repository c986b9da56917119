"""States of stacks in the wild, small and written by hand; names, accounts and passwords are invented.

Each is `terraform show -json` of one, with what must be understood of it in `expected.json`. Those that differ in a few
parts from one stack are put together from them (shapes_of_….py); what is expected of them is in `shapes/`.

`contract` (values and where they are from), `open` (key → how the question begins, its options), `remarks` that must be
among those made, `problems`, `cures` (what `init` asks to end them), and `preflight`: every warning, each judged by
hand to be true.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.states.shapes_of_databases import DATABASES
from tests.states.shapes_of_places import PLACES
from tests.states.shapes_of_ways import WAYS

FOLDER = Path(__file__).parent
SHAPES: Mapping[str, Any] = {**DATABASES, **PLACES, **WAYS}
STATES = tuple(sorted([*SHAPES, *(file.parent.name for file in FOLDER.glob("*/expected.json"))]))


def document(name: str, kind: str) -> Any:
    """`state` or `expected` of one: the caller's own, to change as it likes."""
    if name in SHAPES:
        expected = FOLDER / "shapes" / f"{name}.json"
        return copy.deepcopy(SHAPES[name]) if kind == "state" else json.loads(expected.read_text())
    return json.loads((FOLDER / name / f"{kind}.json").read_text())
