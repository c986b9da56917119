"""The notices of a run that has ended, one form for each recipient. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import counted
from orchestrator.events import StepFailed
from orchestrator.render.endings import next_command

SCHEMA = 1
MOST = 20
"""Failures that are told, of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNotice:
    """How a run ended. All texts have passed the redactor."""

    run: str
    command: str
    stack: str
    outcome: str
    changed: int
    seconds: float
    user: str
    host: str
    failures: Sequence[StepFailed] = field(default=())


def as_json(notice: RunNotice) -> dict[str, Any]:
    """The body of the webhook, and the standard input of the command."""
    return {
        "schema": SCHEMA,
        "event": "run-ended",
        "run": notice.run,
        "command": notice.command,
        "stack": notice.stack,
        "outcome": notice.outcome,
        "changed": notice.changed,
        "seconds": notice.seconds,
        "user": notice.user,
        "host": notice.host,
        "failures": [
            {"step": one.step, "tenant": one.subject, "code": one.code, "detail": one.detail, "fix": one.fix}
            for one in notice.failures[:MOST]
        ],
        "failures_total": len(notice.failures),
        "next": next_command(notice.command, notice.outcome),
    }


def as_slack(notice: RunNotice) -> dict[str, Any]:
    """As Slack's incoming webhooks take it, and those of Mattermost and others that do as Slack does."""
    of = f" of {notice.stack}" if notice.stack else ""
    changes = counted(notice.changed, "change")
    head = f"orchestrate {notice.command}{of}: {notice.outcome} ({changes}, {notice.seconds:.0f} s)"
    lines = [f"*{_escaped(head)}*"]
    for one in notice.failures[:MOST]:
        whom = f" {one.subject}" if one.subject else ""
        lines.append(f"• {_escaped(f'{one.step}{whom}: {one.detail}')} `{_escaped(one.code)}`")
    if len(notice.failures) > MOST:
        lines.append(f"… and {len(notice.failures) - MOST} more")
    lines.append(_escaped(f"Next: {next_command(notice.command, notice.outcome)}"))
    text = "\n".join(lines)
    return {"text": _escaped(head), "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text[:3000]}}]}


def _escaped(text: str) -> str:
    """Slack's three control characters; the rest is as it is."""
    return " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
