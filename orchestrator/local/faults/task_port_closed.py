"""The load balancer is let in to the tasks no more."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, close_port, meddled


def _close(console: Console) -> Iterator[Undo]:
    services = console.services()
    groups = {one for each in services for one in each["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"]}
    ports = {way["containerPort"] for each in services for way in each["loadBalancers"]}
    for port in ports:
        yield from close_port(console, sorted(groups), port)


FAULT = meddled(
    "task-port-closed",
    "the load balancer can't reach the tasks",
    "Health Check Failures",
    _close,
    per_tenant=False,
    restarts=False,
)
