"""The table `[contract]` in orchestrate.toml: written beside what the file says already, comments and all."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from orchestrator import settings
from orchestrator.errors import Invalid, Problem

HEADING = (
    "What Terraform's state leaves open in the contract (docs/how-to/use-on-your-stack.md). This file holds no secret."
)

SCHEMA = f".orchestrate/{settings.FILE}.schema.json"
"""Where editors find what may stand in the file, from its folder."""


def text_with(directory: Path, table: Mapping[str, Any]) -> str:
    """The file's text with this `[contract]` instead of its own. Raises `Invalid` for a file that is no TOML."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    file = directory / settings.FILE
    try:
        document = tomlkit.parse(file.read_text(encoding="utf-8-sig")) if file.exists() else tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise Invalid(Problem("settings-unreadable", str(error), str(file), "correct the file")) from None
    part = tomlkit.table()
    part.comment(HEADING)
    for name, value in table.items():
        part.add(name, _item(value))
    document[settings.CONTRACT] = part
    head = "" if file.exists() else f"#:schema ./{SCHEMA}\n\n"  # taplo's, which many editors use for TOML
    return head + tomlkit.dumps(document)


def _item(value: Any) -> Any:
    """A table of its own for a part, a table on one line for a directive."""
    import tomlkit

    if not isinstance(value, Mapping):
        return value
    flat = not any(isinstance(inner, Mapping) for inner in value.values())
    item: Any = tomlkit.inline_table() if flat else tomlkit.table()
    for name, inner in value.items():
        item.add(name, _item(inner))
    return item


def write(directory: Path, text: str) -> Path:
    """Write the file as a whole or not at all."""
    file = directory / settings.FILE
    try:
        descriptor, temporary = tempfile.mkstemp(dir=directory, prefix=".orchestrate-", suffix=".toml")
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
        mode = file.stat().st_mode & 0o777 if file.exists() else 0o644
        Path(temporary).chmod(mode)
        Path(temporary).replace(file)
    except OSError as error:
        fix = "make the directory writable, or write the file by hand"
        raise Invalid(Problem("settings-unwritable", str(error), str(file), fix)) from None
    _write_schema(directory)
    return file


def _write_schema(directory: Path) -> None:
    """For editors, beside the records of runs. It helps whoever types, and nothing depends on it."""
    file = directory / SCHEMA
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(settings.schema(), indent=2) + "\n", encoding="utf-8")
