"""Retry policies as values (tenacity). botocore already retries a *call*; these wait for *state*.

Tenacity around botocore's own retries would multiply them (5 x 3 = 15 calls, measured), so what reaches us as
`Transient` is observed again by the step's loop and never retried call by call.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from orchestrator.engine.clock import Clock
from orchestrator.errors import Transient

JITTER = 0.05
"""A look comes up to this part of its interval later, so that many runs don't look at the same moment."""


class NotYet(Exception):
    """The world is not there yet. `poll`: seconds until the next look makes sense."""

    def __init__(self, poll: float) -> None:
        super().__init__(poll)
        self.poll = poll


@dataclass(frozen=True, slots=True)
class WaitPolicy:
    """How a step waits: until `deadline` (monotonic seconds of `clock`; it may move), looking as the last outcome says.

    After `NotYet` it looks again when that says; after `Transient` with exponential back-off and full jitter.
    """

    clock: Clock
    deadline: Callable[[], float]
    ceiling: float = 20.0

    def attempts(self) -> Retrying:
        """A tenacity iterator: each attempt is one look. Reraises the last outcome when the deadline has passed."""
        return Retrying(
            retry=retry_if_exception_type((NotYet, Transient)),
            wait=self._wait,
            stop=self._stop,
            sleep=self.clock.sleep,
            reraise=True,
        )

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        back_off = wait_random_exponential(multiplier=0.5, max=self.ceiling)
        jitter = 1 + random.uniform(0, JITTER)  # noqa: S311 - not for secrets
        seconds = error.poll * jitter if isinstance(error, NotYet) else back_off(state)
        return min(seconds, max(0.0, self.deadline() - self.clock.monotonic()))

    def _stop(self, _state: RetryCallState) -> bool:
        return self.clock.monotonic() >= self.deadline()
