"""Waiting in tests: for a condition, never for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest

from orchestrator.local.core.waiting import eventually

PATIENCE = 300.0
"""Seconds: much longer than anything takes, for the machine may have other work."""
OFTEN = 0.1
"""Seconds between two looks that wait long: a look through boto3 is work for two processes."""
CLOSELY = 0.02
"""The same where what is waited for passes, or each state on the way counts."""
T = TypeVar("T")


def until(what: str, fact: Callable[[], T | None], seconds: float = PATIENCE, often: float = OFTEN) -> T:
    """The first true value of `fact`. The test fails when there is none in time, saying `what` was waited for."""
    seen = eventually(fact, seconds, often)
    if not seen:
        pytest.fail(f"still not so after {seconds:.0f} s: {what} (seen last: {seen!r})")
    return seen
