"""A token bucket: so many at once, then so many a second. Laws of AWS and Porkbun's double refuse by it."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Bucket:
    """Full at first: `size` tokens, `refill` a second of `clock` (monotonic seconds). Thread-safe."""

    def __init__(self, size: float, refill: float, clock: Callable[[], float]) -> None:
        self._size, self._refill, self._clock = float(size), refill, clock
        self._tokens, self._at = self._size, clock()
        self._lock = threading.Lock()

    def take(self, tokens: float = 1.0) -> bool:
        """Whether there were so many left; else none is taken."""
        with self._lock:
            now = self._clock()
            self._tokens = min(self._size, self._tokens + (now - self._at) * self._refill)
            self._at = now
            if self._tokens < tokens:
                return False
            self._tokens -= tokens
            return True
