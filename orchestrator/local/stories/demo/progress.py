"""Terraform's own output, thousands of lines, as the few a spectator wants."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_DONE = re.compile(r"^(?P<address>\S+): (?:Creation|Destruction) complete after (?P<after>\S+)")
_STILL = re.compile(
    r"^(?P<address>\S+): Still (?:creating|destroying)\.\.\. \[(?:id=[^,]*, )?(?P<elapsed>\S+) elapsed\]"
)
_PLAN_BEGINS = re.compile(r"^(Terraform|OpenTofu) used the selected providers")
_PLAN_ENDS = re.compile(r"^(The stack does|The steps, as|After Terraform|\d\d:\d\d:\d\d )")
_OURS = re.compile(r"^\d\d:\d\d:\d\d . terraform +(?P<said>.*)")
_SUMMARY = re.compile(r"^(Plan: |Apply complete!|Destroy complete!|Error: |No changes\.)")
_NOTABLE = re.compile(r"\baws_(db_instance|lb|elasticache_replication_group|ecs_service|instance|s3_bucket)\.")
_EVENT = re.compile(r"^\d\d:\d\d:\d\d (?P<mark>[▸…✓✗!]) \S+ +(?:(?P<tenant>[\w-]+): )?")
_TOLD = re.compile(r"^(\d\d:\d\d:\d\d [\w-]+, changed: |Apply complete!|Destroy complete!|Error: |… )")
EVERY = 10.0
"""Seconds between two lines about what still goes on."""
SELDOM = 45.0
"""The same, for who watches a whole story."""


@dataclass(slots=True)
class LineFilter:
    """Line in, line to show or None out."""

    clock: Callable[[], float] = time.monotonic
    every: float = EVERY
    done: int = 0
    waiting: dict[str, str] = field(default_factory=dict)
    shown: float = 0.0

    def __call__(self, line: str) -> str | None:
        """What to show for this line."""
        if _SUMMARY.match(line):
            return line
        if found := _DONE.match(line):
            self.done += 1
            self.waiting.pop(found["address"], None)
            return f"{found['address']} ({found['after']})" if _NOTABLE.search(found["address"]) else None
        if found := _STILL.match(line):
            self.waiting[found["address"]] = found["elapsed"]
            return self._still()
        return None

    def _still(self) -> str | None:
        now = self.clock()
        if now - self.shown < self.every:
            return None
        self.shown = now
        waiting = ", ".join(f"{address} {elapsed}" for address, elapsed in sorted(self.waiting.items())[:3])
        return f"… {self.done} done; {waiting}"


@dataclass(slots=True)
class Applying:
    """What `orchestrate apply` says: its steps whole, Terraform's lines filtered, the plan as its summary."""

    progress: LineFilter = field(default_factory=LineFilter)
    in_plan: bool = False

    def __call__(self, line: str) -> str | None:
        """What to show for this line."""
        if _PLAN_BEGINS.match(line):
            self.in_plan = True
            return "(the plan, resource by resource, is left out here)"
        self.in_plan = self.in_plan and not _PLAN_ENDS.match(line)
        if self.in_plan:
            return self.progress(line)
        if (ours := _OURS.match(line)) is None or "✓" in line:
            return line
        return self.progress(ours["said"])


@dataclass(slots=True)
class Changes:
    """Of what a command says: what it changed, of the tenants the first one's; what failed; and how it ended."""

    said: Callable[[str], str | None] = field(default_factory=lambda: Applying(LineFilter(every=SELDOM)))
    tenant: str = ""

    def __call__(self, line: str) -> str | None:
        """What to show for this line."""
        text = self.said(line)
        if text is None or _TOLD.match(text):
            return text
        event = _EVENT.match(text)
        if event is None or event["mark"] in "✗!":
            return text if event else None
        tenant = event["tenant"] or ""
        # What a module inside Terraform says is a part of what Terraform did.
        if event["mark"] == "…" or "(changed: " not in text or (tenant and self.tenant not in ("", tenant)):
            return None
        self.tenant = tenant or self.tenant
        return text
