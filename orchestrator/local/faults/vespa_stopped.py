"""The tenant's Vespa instance was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.local.core.waiting import eventually
from orchestrator.local.faults.manual_changes import Console, Undo, instances, meddled

STOP_SECONDS = 60.0


def _stop(console: Console) -> Iterator[Undo]:
    ec2, ids = console.client("ec2"), instances(console)
    ec2.stop_instances(InstanceIds=ids)
    yield partial(_start, ec2, ids)


def _start(ec2: Any, ids: list[str]) -> None:
    """A stop that is under way has to end first."""

    def stopping() -> bool:
        answer = ec2.describe_instances(InstanceIds=ids)
        found = (one for reservation in answer["Reservations"] for one in reservation["Instances"])
        return any(one["State"]["Name"] == "stopping" for one in found)

    eventually(lambda: not stopping(), STOP_SECONDS)
    ec2.start_instances(InstanceIds=ids)


FAULT = meddled("vespa-stopped", "Vespa's instance is stopped", "Vespa Vector Search Issues", _stop)
