"""How much of their memory the tasks use: the peak of the last hour, from CloudWatch.

A container that reaches its limit is killed (exit 137, OutOfMemoryError); this check warns before that happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from orchestrator.aws.cloudwatch import Metric
from orchestrator.aws.clusters import place
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

SPAN = timedelta(hours=1)
FULL = 90.0
"""Per cent of the task's memory."""
METRIC = Metric("MemoryUtilization", "Maximum")


@dataclass(frozen=True, slots=True)
class TaskMemoryCheckFacts:
    """By tenant the service's name, the task's memory (MB) and the data points (per cent)."""

    services: Mapping[str, str]
    memory: Mapping[str, int]
    points: Mapping[str, tuple[float, ...]]


def gather(scene: Scene) -> TaskMemoryCheckFacts:
    """One call for up to 500 services."""
    services = {tenant: settings.name for tenant, settings in scene.settings().items()}
    places = {tenant: place(name, scene.stack.cluster) for tenant, name in services.items()}
    of = {tenant: {"ClusterName": cluster, "ServiceName": name} for tenant, (cluster, name) in places.items()}
    points = scene.read.cloudwatch.recent_of("AWS/ECS", of, METRIC, scene.now, SPAN)
    sizes = {tenant: one.memory for tenant, one in scene.definitions().items()}
    for tenant in services.keys() - sizes.keys():
        if max(points.get(tenant, ()), default=0.0) >= FULL:
            sizes[tenant] = scene.read.services.definition(scene.settings()[tenant].task_definition).memory
    return TaskMemoryCheckFacts(services, sizes, points)


def judge(facts: TaskMemoryCheckFacts) -> Iterable[Finding]:
    """Without data nothing is claimed."""
    for tenant, service in facts.services.items():
        peak = max(facts.points.get(tenant, ()), default=0.0)
        if peak >= FULL:
            memory = facts.memory.get(tenant, 0)
            yield Finding(
                code="service-memory-high",
                severity=Severity.WARNING,
                subject=tenant,
                symptom=f"the tasks of {service} use nearly all of their memory",
                cause=f"their peak was {peak:.0f} % of {memory} MB; a task that exceeds it is killed",
                fix=f'memory = "{max(3072, 2 * memory)}" in aws_ecs_task_definition, and more for the container that '
                "grows; terraform apply",
                evidence=(f"MemoryUtilization {peak:.0f} % at most in the last hour", f"task memory {memory} MB"),
            )


CHECK: Check[Scene, TaskMemoryCheckFacts] = Check(
    id="task-memory",
    title="Tasks have memory to spare",
    gather=gather,
    judge=judge,
    guide_section="Resource Sizing Issues",
)
