"""Waiting in tests: for a condition, never for a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import pytest
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_exponential

PATIENCE = 120.0
"""Seconds: much longer than anything takes, for the machine may have other work."""
OFTEN = 0.1
"""Seconds between two looks that wait long: a look through boto3 is work for two processes."""
CLOSELY = 0.02
"""The same where what is waited for passes, or each state on the way counts."""
T = TypeVar("T")


def until(what: str, fact: Callable[[], T | None], seconds: float = PATIENCE, often: float = OFTEN) -> T:
    """The first true value of `fact`, looked at more and more seldom.

    The test fails when there is none in time, saying `what` was waited for.
    """

    def give_up(state: RetryCallState) -> Any:
        seen = state.outcome.result() if state.outcome else None
        pytest.fail(f"still not so after {seconds:.0f} s: {what} (seen last: {seen!r})")

    looks = Retrying(
        retry=retry_if_result(lambda seen: not seen),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.01, max=often),
        retry_error_callback=give_up,
    )
    return cast("T", looks(fact))
