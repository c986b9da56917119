"""A TCP port that stays ours while nobody listens on it."""

from __future__ import annotations

import socket


class Port:
    """A TCP port of 127.0.0.1 that is ours: nobody gets it by chance while no server listens on it."""

    def __init__(self) -> None:
        self._holder: socket.socket | None = None
        self.number = 0
        self.hold()

    def hold(self) -> None:
        """Bind it without listening, so that connections are refused and the kernel gives it to nobody."""
        if self._holder is None:
            self._holder = socket.socket()
            self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._holder.bind(("127.0.0.1", self.number))
            self.number = self._holder.getsockname()[1]

    def release(self) -> None:
        """Let go of it: the server takes it now."""
        if self._holder is not None:
            self._holder.close()
            self._holder = None
