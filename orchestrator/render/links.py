"""Codes as links (OSC 8) to the page that explains them, which comes with the package: a terminal opens it by itself.

Where there are no colours there are no links either: whoever asks for plain text gets plain text.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from rich.style import Style
from rich.text import Text

_PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (_PACKAGE / "share" / "reference", _PACKAGE.parent / "docs" / "reference")
"""Where the reference is: in an installed package; in a clone."""
PROBLEMS, CHECKS = "problems.md", "checks.md"


@cache
def folder() -> Path | None:
    """Where the reference is here; None: it is not part of this installation."""
    return next((place for place in PLACES if (place / PROBLEMS).is_file()), None)


def code(name: str, *, page: str = PROBLEMS) -> Text:
    """A code in its brackets, as it stands at the end of a message."""
    place = folder()
    style = Style(link=f"{(place / page).as_uri()}#{name}") if place and name else Style()
    return Text("[").append(name, style=style).append("]")
