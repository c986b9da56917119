"""Nobody is let in to Vespa's config server any more."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, close_port, meddled


def _close(console: Console) -> Iterator[Undo]:
    answer = console.client("ec2").describe_instances()
    instances = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
    groups = {group["GroupId"] for one in instances for group in one.get("SecurityGroups", ())}
    yield from close_port(console, sorted(groups), 19071)


FAULT = meddled(
    "vespa-config-port-closed",
    "Vespa's security group does not open 19071",
    "Vespa Vector Search Issues",
    _close,
    per_tenant=False,
)
