"""The load of the database server: CPU, memory and storage in the last 15 minutes, from CloudWatch.

Left out: connections (their limit follows from the class), and burst credits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.aws.cloudwatch import Metric
from orchestrator.aws.rds import ELSEWHERE
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

SPAN = timedelta(minutes=15)
BUSY = 90.0
"""Per cent, on average over the span."""
FREE_MEMORY = 100 * 2**20
"""Bytes; below, PostgreSQL swaps or is killed."""
FREE_STORAGE = 2 * 2**30
"""Bytes; RDS stops the server when none is left."""
METRICS = (
    Metric("CPUUtilization", "Average"),
    Metric("FreeableMemory", "Minimum"),
    Metric("FreeStorageSpace", "Minimum"),
)
_SLOW = frozenset({"task-killed-while-migrating", "task-target-unhealthy"})


@dataclass(frozen=True, slots=True)
class DatabaseLoadCheckFacts:
    """The server, its class and storage (GiB); data points by metric."""

    server: str
    size: str
    storage: int
    points: Mapping[str, tuple[float, ...]]


def gather(scene: Scene) -> DatabaseLoadCheckFacts:
    """One call, of a server of RDS's."""
    server = scene.server()
    if server.kind == ELSEWHERE:
        return DatabaseLoadCheckFacts(server.instance, "", 0, {})
    points = scene.read.cloudwatch.recent("AWS/RDS", {"DBInstanceIdentifier": server.machine}, METRICS, scene.now, SPAN)
    return DatabaseLoadCheckFacts(server.machine, server.size, server.storage, points)


def judge(facts: DatabaseLoadCheckFacts) -> Iterable[Finding]:
    """Without data nothing is claimed."""
    cpu = facts.points.get("CPUUtilization", ())
    memory = facts.points.get("FreeableMemory", ())
    storage = facts.points.get("FreeStorageSpace", ())
    grow = f"aws rds modify-db-instance --db-instance-identifier {facts.server} --apply-immediately"
    larger = (
        f"choose a class larger than {facts.size}: {grow} --db-instance-class CLASS (and instance_class in Terraform)"
    )
    if cpu and sum(cpu) / len(cpu) >= BUSY:
        yield _finding(
            "database-busy", facts, "its CPU is saturated", larger, f"CPUUtilization {sum(cpu) / len(cpu):.0f} %"
        )
    if memory and min(memory) < FREE_MEMORY:
        seen = f"FreeableMemory {min(memory) / 2**20:.0f} MiB"
        yield _finding("database-memory-low", facts, "its memory is nearly exhausted", larger, seen)
    if storage and min(storage) < FREE_STORAGE:
        more = f"{grow} --allocated-storage {facts.storage + 20} (and allocated_storage in Terraform)"
        seen = f"FreeStorageSpace {min(storage) / 2**30:.1f} GiB of {facts.storage}"
        yield _finding("database-storage-low", facts, "its storage is nearly full", more, seen)


def _finding(code: str, facts: DatabaseLoadCheckFacts, cause: str, fix: str, seen: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.WARNING,
        symptom="migrations and requests are slow, or will fail",
        cause=f"{facts.server}: {cause}",
        fix=fix,
        evidence=(f"{seen} in the last {SPAN.seconds // 60} minutes", f"DBInstanceClass {facts.size}"),
        explains=_SLOW,
    )


CHECK: Check[Scene, DatabaseLoadCheckFacts] = Check(
    id="database-load",
    title="The database server has resources to spare",
    gather=gather,
    judge=judge,
    guide_section="Database Issues",
)
