"""Credentials that end in the middle: how long a step waits for somebody to sign in again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.engine.clock import Clock
from orchestrator.errors import Expired, Problem

EVERY = 5.0
"""Seconds between two looks whether the credentials are good again."""


@dataclass
class Renewal:
    """Of one step. `seconds` is how long somebody has for it."""

    seconds: Callable[[], float]
    clock: Clock
    problem: Problem | None = None
    """Why nothing can be looked at just now."""
    since: float = 0.0

    def looked(self) -> None:
        """The credentials are good."""
        self.problem = None

    def awaited(self, error: Expired) -> str:
        """What is waited for. Raises the error when nobody has signed in in time."""
        now = self.clock.monotonic()
        if self.problem is None:
            self.since = now
        if now - self.since >= self.seconds():
            raise error
        self.problem = error.problems[0]
        return f"{self.problem.message}: sign in again in another terminal (`aws sso login`), and this run continues"
