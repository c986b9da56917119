"""Secrets leave an event before it reaches any renderer or the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from orchestrator.events import Recorded

E = TypeVar("E", bound=Recorded)

_OUR_WORDS = frozenset(
    {
        "step",
        "code",
        "outcome",
        "until",
        "command",
        "version",
        "severity",
        "check",
        "root",
        "page",
        "repair",
        "effect",
        "status",
    }
)
"""Fields whose words are the program's own: a password that equals one of them must not break the stream."""


def redacted(event: E, redact: Callable[[str], str]) -> E:
    """The same event, with every known secret in it replaced."""
    texts = {field.name: getattr(event, field.name) for field in fields(event) if field.name not in _OUR_WORDS}
    masked: dict[str, Any] = {name: redact(text) for name, text in texts.items() if isinstance(text, str)}
    masked |= {name: tuple(map(redact, some)) for name, some in texts.items() if isinstance(some, tuple)}
    return replace(event, **masked)
