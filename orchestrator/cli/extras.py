"""Optional dependencies (extras), and what to say when one is missing."""

from __future__ import annotations

import importlib.util

from orchestrator.errors import Invalid, Problem

NEEDED = ("awscli", "localstack_client", "moto", "psutil", "regex", "trustme", "werkzeug")
"""Of the extra `local`."""
OF_FLEETS = ("croniter", "dbos", "icalendar", "lark", "recurring_ical_events")
"""Of the extra `fleet`."""


def require_web() -> None:
    """Raise `Invalid` unless what `serve` runs on is installed."""
    if any(importlib.util.find_spec(module) is None for module in ("starlette", "uvicorn")):
        fix = "install orchestrate with its `web` extra: `pip install '.[web]'` in its clone"
        raise Invalid(Problem("web-extra-missing", "serving pages needs starlette and uvicorn", fix=fix))


def require_local() -> None:
    """Raise `Invalid` unless what the local cloud runs on is installed."""
    missing = [module for module in NEEDED if importlib.util.find_spec(module) is None]
    if missing:
        raise Invalid(
            Problem(
                code="local-extra-missing",
                message=f"the local cloud needs Python packages that are not installed: {', '.join(missing)}",
                fix="install orchestrate with its `local` extra: `pip install '.[local]'` in its clone",
            )
        )


def require_fleet() -> None:
    """Raise `Invalid` unless what calendars and fleets are kept with is installed."""
    missing = [module for module in OF_FLEETS if importlib.util.find_spec(module) is None]
    if missing:
        fix = "install it with its extra: `pip install 'onyx-orchestrator[fleet]'`"
        raise Invalid(Problem("fleet-extra-missing", f"fleets need {', '.join(missing)}", "", fix))
