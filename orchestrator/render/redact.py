"""Secrets leave an event before it reaches any renderer or the journal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
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
        "part",
        "state",
        "action",
    }
)
"""Fields whose words are the program's own: a password that equals one of them must not break the stream."""


def redacted(event: E, redact: Callable[[str], str]) -> E:
    """The same event, with every known secret in it replaced."""
    return replace(event, **_masked(event, redact))


def _masked(value: Any, redact: Callable[[str], str]) -> dict[str, Any]:
    """The fields of a dataclass that may hold a secret, masked: texts, and what is in tuples."""
    told = {field.name: getattr(value, field.name) for field in fields(value) if field.name not in _OUR_WORDS}
    return {name: _mask(one, redact) for name, one in told.items() if isinstance(one, str | tuple)}


def _mask(value: Any, redact: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, tuple):
        return tuple(_mask(one, redact) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **_masked(value, redact))
    return value
