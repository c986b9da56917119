"""A stack or a tenant that was paused on purpose: reported once, and what is stopped by it is not a finding.

A paused stack whose database server is running costs money again: RDS starts it after seven days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.aws.rds import ServerState
from orchestrator.aws.service_counts import Count
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.engine.step import tenant_of
from orchestrator.lifecycle.pause_tags import TAG, PausedService, Stamp


@dataclass(frozen=True, slots=True)
class PausedCheckFacts:
    """Services by tenant, the DB instance, and the states of the instances by id."""

    counts: Mapping[str, Count]
    server: ServerState
    instances: Mapping[str, str]


def gather(scene: Scene) -> PausedCheckFacts:
    """All but the services' tags is shared."""
    instances = {name: one.state for name, one in scene.instances().items()}
    return PausedCheckFacts(scene.counts(), scene.server(), instances)


def judge(facts: PausedCheckFacts) -> Iterable[Finding]:
    """The whole stack, else its tenants."""
    stamp = Stamp.parse(facts.server.tags.get(TAG, ""))
    if stamp is None:
        for tenant, count in facts.counts.items():
            memory = PausedService.parse(count.tags.get(TAG, ""))
            if memory is not None:
                yield _left_over(tenant, count, memory) if count.desired else _tenant(tenant, count, memory)
        return
    yield _paused(facts, stamp)
    if facts.server.status not in {"stopped", "stopping"} and not facts.server.unstoppable:
        yield _restarted(facts.server, stamp)
    running = [f"{count.name}: desiredCount {count.desired}" for count in facts.counts.values() if count.desired]
    running += [f"{name} is {state}" for name, state in facts.instances.items() if state in ("running", "pending")]
    if running:
        yield _in_part(running, stamp)


def _paused(facts: PausedCheckFacts, stamp: Stamp) -> Finding:
    restarts = facts.server.restarts
    said = f", RDS starts it by itself at {restarts:%Y-%m-%d %H:%M} UTC" if restarts else ""
    return Finding(
        code="stack-paused",
        severity=Severity.INFO,
        symptom=f"the stack has been paused since {stamp.since}, by {stamp.by}",
        cause="orchestrate pause",
        fix="orchestrate resume, when it is needed again",
        evidence=(f"{facts.server.instance} has the tag {TAG}, and is {facts.server.status}{said}",),
        pauses=True,
    )


def _restarted(server: ServerState, stamp: Stamp) -> Finding:
    return Finding(
        code="database-restarted",
        severity=Severity.WARNING,
        symptom=f"the stack is paused, but its database server {server.instance} is running and costs money",
        cause="RDS starts a stopped instance after seven days, or somebody did, or the pause was interrupted",
        fix="orchestrate pause --keep-paused (a daily job keeps it stopped); or orchestrate resume",
        evidence=(f"DBInstanceStatus {server.status}", f"paused since {stamp.since} by {stamp.by}"),
    )


def _in_part(running: list[str], stamp: Stamp) -> Finding:
    return Finding(
        code="pause-incomplete",
        severity=Severity.WARNING,
        symptom="the stack is paused, but part of it is running",
        cause="a pause or a resume was interrupted or is in progress, or somebody started it by hand",
        fix="orchestrate pause, to stop the rest as well; or orchestrate resume",
        evidence=(*running, f"paused since {stamp.since} by {stamp.by}"),
    )


def _tenant(tenant: str, count: Count, memory: PausedService) -> Finding:
    return Finding(
        code="tenant-paused",
        severity=Severity.INFO,
        subject=tenant,
        symptom=f"{count.name} has been paused since {memory.stamp.since}, by {memory.stamp.by}",
        cause=f"orchestrate pause --tenant {tenant_of(tenant)}",
        fix=f"orchestrate resume --tenant {tenant_of(tenant)}, when it is needed again: "
        f"it comes back with {memory.wanted}",
        evidence=(f"{TAG}: {count.tags[TAG]}",),
        pauses=True,
    )


def _left_over(tenant: str, count: Count, memory: PausedService) -> Finding:
    scales = "; its autoscaling may still be suspended" if memory.scaling else ""
    return Finding(
        code="resume-incomplete",
        severity=Severity.WARNING,
        subject=tenant,
        symptom=f"{count.name} is running, but is still tagged as paused{scales}",
        cause="a resume did not finish, or somebody scaled the service by hand",
        fix=f"orchestrate resume --tenant {tenant_of(tenant)}",
        evidence=(f"desiredCount {count.desired}", f"{TAG}: {count.tags[TAG]}"),
    )


CHECK: Check[Scene, PausedCheckFacts] = Check(
    id="paused",
    title="What is stopped was paused on purpose, and has stayed so",
    gather=gather,
    judge=judge,
    guide_section="Terraform Destroy/Apply Cycle",
)
