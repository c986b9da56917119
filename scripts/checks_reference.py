"""docs/reference/checks.md: what each check of `doctor` looks at, and what it says of its test cases."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

from pydantic import TypeAdapter

from orchestrator.doctor import checks
from orchestrator.engine.check import AnyCheck, Finding

CASES = Path(__file__).resolve().parent.parent / "tests" / "cases" / "checks"


def lines() -> Iterator[str]:
    """The page below its title."""
    yield "`orchestrate doctor` runs all of them at the same time and reports root causes first. Only `--fix` changes"
    yield "anything. A `blocker` keeps a site from working (exit status 1); a `warning` will one day. The symptoms and"
    yield "fixes below are examples, taken from the test cases of each check."
    yield ""
    for check in checks.discover():
        yield from _of(check)


def _of(check: AnyCheck) -> Iterator[str]:
    module = sys.modules[check.judge.__module__]
    yield f"## {check.id}"
    yield ""
    yield f"{check.title}. {' '.join((module.__doc__ or '').split())}"
    yield ""
    if check.guide_section:
        yield f"Guide: *{check.guide_section}*."
        yield ""
    for finding in _findings(check).values():
        yield from _example(finding)
    yield ""


def _findings(check: AnyCheck) -> dict[str, Finding]:
    """One finding of each code, from the cases in their order."""
    facts = TypeAdapter(get_type_hints(check.judge)["facts"])
    found: dict[str, Finding] = {}
    for path in sorted((CASES / check.id).glob("*.json")):
        given = facts.validate_python(json.loads(path.read_text(encoding="utf-8"))["facts"])
        for one in check.findings(given):
            found.setdefault(one.code, one)
    return dict(sorted(found.items()))


def _example(finding: Finding) -> Iterator[str]:
    yield f"- **{finding.code}** ({finding.severity.value}): {_plain(finding.symptom)}"
    yield f"  - cause: {_plain(finding.cause)}"
    yield f"  - fix: `{' '.join(finding.fix.replace('`', '').split())}`"
    if finding.repair:
        yield f"  - `doctor --fix` repairs it, by the step `{finding.repair}`"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("*", "\\*").replace("<", "\\<")
