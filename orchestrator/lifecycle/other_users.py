"""Who else uses what a stack uses, as AWS and the database server tell it: before any of it is stopped or barred."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from orchestrator.aws.neighbours import Neighbour, Neighbours
from orchestrator.database.model import wanted_of
from orchestrator.database.sessions import Session, strangers
from orchestrator.errors import OrchestratorError
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import TAG, PartKind


class OtherUsers:
    """Of one stack. `sessions` asks the server who is connected, () where it doesn't run. Thread-safe."""

    def __init__(self, stack: Stack, neighbours: Neighbours, sessions: Callable[[], Sequence[Session]]) -> None:
        self._stack = stack
        self._neighbours = neighbours
        self._sessions = sessions
        self._lock = threading.Lock()
        self._seen: list[tuple[Session, ...] | None] = []

    def users(self, *names: str) -> tuple[str, ...]:
        """Services and tasks of others whose definitions name one of these (hosts, addresses, buckets), in words."""
        stack = self._stack
        mine = {stack.service_part(tenant)[1] for tenant in stack.services}
        others = [one for one in self._neighbours.all(mine) if one.uses(names)]
        return tuple(sorted(str(one) for one in others if not _is_of(one, stack)))

    def strangers(self) -> tuple[str, ...] | None:
        """Sessions in databases that are nobody's here, in words; None: the server could not be asked."""
        with self._lock:
            if not self._seen:
                self._seen.append(self._asked())
            found = self._seen[0]
        return None if found is None else tuple(str(one) for one in found)

    def _asked(self) -> tuple[Session, ...] | None:
        try:
            return strangers(self._sessions(), wanted_of(self._stack))
        except OrchestratorError:
            return None

    def forget(self) -> None:
        """Look again when asked again: what was seen was for a preview."""
        with self._lock:
            self._seen.clear()
        self._neighbours.forget()


def _is_of(one: Neighbour, stack: Stack) -> bool:
    """A service beside the tenants' that is the stack's all the same: a worker without a way in."""
    known = stack.ownership
    return not one.is_task and (
        known.manages(PartKind.SERVICE, f"{one.cluster}/{one.name}") or one.tags.get(TAG) == stack.stack
    )
