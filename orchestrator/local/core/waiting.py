"""Waiting in the local cloud and in the stories played on it: for a fact, never for a time."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_delay, wait_exponential

OFTEN = 0.05
"""Seconds between two looks, at the most."""
T = TypeVar("T")


def eventually(fact: Callable[[], T], seconds: float, often: float = OFTEN) -> T:
    """The first true value of `fact`, looked at more and more seldom; after `seconds` the last value, true or not."""

    def last(state: RetryCallState) -> Any:
        return state.outcome and state.outcome.result()

    looks = Retrying(
        retry=retry_if_result(operator.not_),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.01, max=often),
        retry_error_callback=last,
    )
    return looks(fact)
