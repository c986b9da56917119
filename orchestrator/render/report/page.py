"""The page of a `RunReport`: HTML with its style inside, pictures as SVG."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from orchestrator.errors import counted
from orchestrator.render.endings import next_command
from orchestrator.render.report import health
from orchestrator.render.report.model import RunReport

STYLE = Path(__file__).parent
"""The folder of the templates; `style.css.j2` is for other pages too."""
MANY = 12
"""Tenants above which those that are up are folded."""
_PARTS = {
    health.SITE: "Site",
    health.DNS: "DNS",
    health.BALANCER: "Load balancer",
    health.TARGETS: "Targets",
    health.TASKS: "Tasks",
    health.DATABASE: "Database",
    health.REDIS: "Redis",
    health.INDEX: "Search index",
    health.FILES: "Files",
}
_STATES = {health.FAILED: "broken", health.FOLLOWS: "follows", health.UNKNOWN: "not known"}
_VERDICTS = {**_STATES, health.FOLLOWS: "broken by what all share", health.UNKNOWN: "not everything is known"}


def page(report: RunReport) -> str:
    """The whole document. Whatever a record holds is shown as text, and obeyed by nobody."""
    return (
        environment()
        .get_template("page.html.j2")
        .render(report=report, next=next_command(report.command, report.outcome), many=MANY)
    )


@cache
def environment() -> jinja2.Environment:
    """Of all pages: with their filters, and with nothing obeyed."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(STYLE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["seconds"] = _seconds
    made.filters["text"] = _text
    made.filters["count"] = counted
    made.filters["commands"] = _commands
    made.filters["part"] = _PARTS.__getitem__
    made.filters["state"] = lambda state: _STATES.get(state, state)
    made.filters["verdict"] = lambda state: _VERDICTS.get(state, state)
    return made


def _seconds(value: float) -> str:
    minutes, seconds = divmod(value, 60)
    return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def _commands(value: str) -> Markup:
    """What stands between backticks is code."""
    parts = (
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(value.split("`"))
    )
    return Markup("").join(parts)


def _text(value: str) -> str:
    """Without what HTML may not hold."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value)
