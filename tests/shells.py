"""What stands in for a way into instances (`inside.shell`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orchestrator.engine.subjects import Attempts, attempt


class OneByOne:
    """A shell that runs a script on several instances as it does on one; on which one is a class's own."""

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> Any:
        raise NotImplementedError

    def run_on(self, instance_ids: Sequence[str], script: str, *, comment: str, timeout: int) -> Attempts[Any]:
        return attempt(instance_ids, lambda one: self.run(one, script, comment=comment, timeout=timeout))
