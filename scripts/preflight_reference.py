"""docs/reference/preflight.md: every line of the guide's checklists with its check, and the cases that show it.

The cases are tests/cases/preflight/*.json: what a check says of a plan and of a state is said of a real one there.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator import consequences, preflight
from orchestrator.preflight import Checklist, Item

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests" / "cases" / "preflight"
CONSEQUENCES = ROOT / "tests" / "cases" / "consequences"
SIGNS = {"passed": "passes", "failed": "fails", "unknown": "not known until applied", "manual": "manual"}


def lines() -> Iterator[str]:
    """The page."""
    yield "`orchestrate preflight` checks these points, and so does `orchestrate apply` before it asks. A plan is"
    yield "judged by the values that are known in it, and by references where they are unknown; a state by its"
    yield "values, and by what is running. What a plan can't tell yet is *not known until applied*, never passed;"
    yield "what only a person can tell is *manual*. A `blocker` means exit status 3 and no apply; a `warning` will"
    yield "hurt one day; an `info` is a decision that costs money."
    yield ""
    items = preflight.discover()
    for occasion in Checklist:
        yield from _list(occasion, [item for item in items if item.occasion is occasion and item.lines])
    yield "## Beyond the guide's lists"
    yield ""
    yield "| Point | Check | When | On a plan | On a state |"
    yield "|---|---|---|---|---|"
    for item in items:
        if not item.lines:
            check = f"[`{item.id}`](#{item.id})"
            yield f"| {item.title} | {check} | {item.occasion} | {_seen(item, 'plan')} | {_seen(item, 'state')} |"
    yield ""
    yield "# What each check says"
    yield ""
    for item in items:
        yield from _item(item)


def _list(occasion: Checklist, items: list[Item]) -> Iterator[str]:
    yield f"## The guide's list: {occasion}"
    yield ""
    yield "| Line of the guide | Check | On a plan | On a state, and live |"
    yield "|---|---|---|---|"
    by_line: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        for line in item.lines:
            by_line[line].append(item)
    for line, judged in by_line.items():
        checks = ", ".join(f"[`{item.id}`](#{item.id})" for item in judged)
        yield f"| {line} | {checks} | {_seen(judged[0], 'plan')} | {_seen(judged[0], 'state')} |"
    yield ""


def _cases(item: Item) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = json.loads((CASES / f"{item.id}.json").read_text(encoding="utf-8"))
    return found


def _seen(item: Item, on: str) -> str:
    """What the cases show, in the order of `SIGNS`."""
    seen = {one["status"] for case in _cases(item) if case["on"] == on for one in case["remarks"]}
    return ", ".join(words for status, words in SIGNS.items() if status in seen)


def _item(item: Item) -> Iterator[str]:
    about = item.about or inspect.getdoc(sys.modules[f"orchestrator.preflight.items.{item.id.replace('-', '_')}"]) or ""
    yield f"## {item.id}"
    yield ""
    said = " ".join(about.split())
    yield said if said.startswith(f"{item.title}.") else f"{item.title}. {said}"
    yield ""
    met: set[str] = set()
    for case in _cases(item):
        for one in case["remarks"]:
            if one["status"] == "failed" and one["code"] not in met:
                met.add(one["code"])
                current, wanted = (_plain(text.removeprefix("wanted: ")) for text in (*one["says"], "")[:2])
                yield f"- **{one['code']}** ({one['severity']}), for example: {current}; wanted: {wanted}"
    yield ""


def consequences_lines() -> Iterator[str]:
    """The page of consequences."""
    yield "What `orchestrate plan` and `orchestrate apply` say about a plan: [how to](../how-to/before-it-hurts.md)."
    yield "A *loss* is refused (exit status 3) unless `--allow-loss NAME` names it, and so is an *outage* of every"
    yield "site or one that lasts. The examples come from the plans in tests/documents."
    yield ""
    for kind in consequences.discover():
        yield f"- {kind.title}"
    yield ""
    examples: dict[str, Mapping[str, Any]] = {}
    for path in sorted(CONSEQUENCES.glob("*.json")):
        for one in json.loads(path.read_text(encoding="utf-8"))["consequences"]:
            examples.setdefault(one["code"], one)
    yield "| Code | Effect | Example | Name |"
    yield "|---|---|---|---|"
    for code, one in sorted(examples.items()):
        yield f"| `{code}` | {one['effect']} | {_plain(one['says'][0])} | `{one['name']}` |"


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "\\<").replace("*", "\\*").replace("_", "\\_")
