"""The page of a `RunReport`: HTML with its style inside, pictures as SVG."""

from __future__ import annotations

from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from orchestrator.render.endings import next_command
from orchestrator.render.report.model import RunReport

_PLACE = Path(__file__).parent


def page(report: RunReport) -> str:
    """The whole document. Whatever a record holds is shown as text, and obeyed by nobody."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PLACE), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    environment.filters["seconds"] = _seconds
    environment.filters["text"] = _text
    environment.filters["count"] = _count
    environment.filters["commands"] = _commands
    return environment.get_template("page.html.j2").render(
        report=report, next=next_command(report.command, report.outcome)
    )


def _seconds(value: float) -> str:
    minutes, seconds = divmod(value, 60)
    return f"{minutes:.0f} min {seconds:.0f} s" if minutes else f"{seconds:.1f} s"


def _count(many: int, what: str) -> str:
    return f"{many} {what}" if many == 1 else f"{many} {what}s"


def _commands(value: str) -> Markup:
    """What stands between backticks is code."""
    parts = (
        Markup("<code>{}</code>").format(part) if at % 2 else escape(part) for at, part in enumerate(value.split("`"))
    )
    return Markup("").join(parts)


def _text(value: str) -> str:
    """Without what HTML may not hold."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in value)
