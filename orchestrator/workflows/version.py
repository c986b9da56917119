"""The versions that matter."""

from __future__ import annotations

import platform

from orchestrator import __version__


def versions() -> dict[str, str | int]:
    """Of this program, of its public formats, and of what runs it."""
    from orchestrator.events import SCHEMA as EVENTS
    from orchestrator.stack.contract import SCHEMA as CONTRACT

    return {
        "orchestrate": __version__,
        "contract": CONTRACT,
        "events": EVENTS,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
