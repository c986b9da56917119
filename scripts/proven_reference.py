"""The page that says what of Terraform is proven by which test, from proven.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).with_name("proven.toml")


def parts() -> list[dict[str, Any]]:
    """`title` and `row`s (`what`, `with` and `test` where there is one), in their order."""
    found: list[dict[str, Any]] = tomllib.loads(DATA.read_text(encoding="utf-8"))["part"]
    return found


def lines() -> Iterator[str]:
    """A table for each part."""
    yield "What has been proven with Terraform, with which versions, and by which test. None of it has run on a real"
    yield "AWS account."
    for part in parts():
        yield from ("", f"## {part['title']}", "", "| What | With | Test |", "|---|---|---|")
        for row in part["row"]:
            test = f"`{row['test']}`" if "test" in row else ""
            yield f"| {row['what']} | {row.get('with', 'untried')} | {test} |"
    yield ""
