"""How far Terraform is with the resources of a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.events import ResourceProgress
from orchestrator.stack.blueprint.changes import CHANGING

if TYPE_CHECKING:
    from orchestrator.terraform import StreamLine

_STATES = {"apply_start": "started", "apply_complete": "done", "apply_errored": "failed"}


class ResourceCount:
    """Counts the changes of one apply, of `total`."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0

    def heard(self, said: StreamLine) -> ResourceProgress | None:
        """What a line of the stream tells; None: nothing of a resource's change."""
        state = _STATES.get(said.kind)
        if state is None or said.action not in CHANGING:
            return None
        self.done += state == "done"
        return ResourceProgress(
            step="terraform",
            detail=said.message,
            address=said.address,
            action=said.action,
            state=state,
            done=self.done,
            total=max(self.total, self.done),
        )
