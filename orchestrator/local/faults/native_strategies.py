"""What faults with native deployment strategies share."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.local.faults.manual_changes import Console, Undo
from orchestrator.local.world.native import become_native, become_rolling


def deploy_by(console: Console, configuration: dict[str, Any]) -> Iterator[Undo]:
    """The services get the strategy, and a deployment by it begins; undone, they are rolling services again."""
    ecs, elbv2 = console.client("ecs"), console.client("elbv2")
    for one in console.services():
        yield partial(become_rolling, ecs, elbv2, become_native(ecs, elbv2, one, configuration))
