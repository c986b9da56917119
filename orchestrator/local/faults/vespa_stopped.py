"""The tenant's Vespa instance was stopped."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.meddling import Console, Undo, instances, meddled


def _stop(console: Console) -> Iterator[Undo]:
    ec2, ids = console.client("ec2"), instances(console)
    ec2.stop_instances(InstanceIds=ids)
    yield partial(ec2.start_instances, InstanceIds=ids)


FAULT = meddled("vespa-stopped", "Vespa's instance is stopped", "Vespa Vector Search Issues", _stop)
