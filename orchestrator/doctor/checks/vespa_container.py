"""Vespa from inside its instance, over SSM, read-only: dockerd, the container, its ports, the config server's health.

`:8081` answers only once the api has deployed its application package, so it proves nothing about a fresh Vespa. The
port that must be published is the one the tasks themselves use (VESPA_PORT).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.index import vespa
from orchestrator.index.vespa import VespaReport
from orchestrator.stack.contract import Vespa

_DEATHS = frozenset({"task-vespa-unreachable"})
REPAIR = "vespa-containers"
"""The step that repairs what is found here."""


@dataclass(frozen=True, slots=True)
class VespaContainerCheckFacts:
    """By tenant the instance and what it said (those that SSM reaches only), and the port its tasks ask."""

    vespas: Mapping[str, Vespa]
    inside: Mapping[str, VespaReport]
    asked: Mapping[str, int] = field(default_factory=dict)


def gather(scene: Scene) -> VespaContainerCheckFacts:
    """One command for all instances that are online."""
    pings = scene.pings()
    online = {
        tenant: one
        for tenant, one in scene.stack.vespa.items()
        if (ping := pings.get(one.instance_id)) is not None and ping.online
    }
    said = vespa.look(scene.read.ssm, online, who="doctor")
    scene.miss("vespa-container", {tenant: error.problems[0] for tenant, error in said.failures.items()})
    seen = {tenant: one for tenant, one in said.results.items() if one is not None}
    return VespaContainerCheckFacts(scene.stack.vespa, seen, {tenant: scene.vespa_ports()[tenant] for tenant in seen})


def judge(facts: VespaContainerCheckFacts) -> Iterable[Finding]:
    """Docker before the container, the container before its health and its ports."""
    for tenant, seen in facts.inside.items():
        instance = facts.vespas[tenant].instance_id
        asked = facts.asked.get(tenant)
        if seen.booting and (not seen.dockerd or seen.state == "absent"):
            continue
        if not seen.dockerd:
            fix = f"{_on(tenant)} sudo systemctl enable --now docker"
            yield _finding((tenant, instance), seen, "dockerd-down", "Docker is not running on the instance", fix)
        elif seen.state == "absent" and not seen.pulled:
            fix = f"{_on(tenant)} the `docker run` of the instance's user_data (it pulls; data volume, restart policy)"
            cause = "its image was never pulled (no way out, or the registry's rate limit, when user_data ran)"
            yield _finding((tenant, instance), seen, "vespa-image-missing", cause, fix)
        elif seen.state == "absent":
            fix = f"{_on(tenant)} the `docker run` of the instance's user_data (pinned image, data volume, restart)"
            yield _finding(
                (tenant, instance), seen, "vespa-container-missing", "there is no container named vespa", fix
            )
        elif seen.state != "running":
            cause = f"its container is {seen.state} (exit {seen.exit_code})"
            if seen.exit_code == 137:
                cause += ": killed, usually for its memory (it needs at least 4 GB)"
            yield _finding(
                (tenant, instance), seen, "vespa-container-down", cause, f"{_on(tenant)} sudo docker start vespa"
            )
        elif not seen.healthy:
            fix = f"orchestrate logs vespa --tenant {tenant}; {_on(tenant)} sudo docker restart vespa"
            cause = "the container runs, but its config server does not answer"
            yield _finding((tenant, instance), seen, "vespa-unhealthy", cause, fix)
        elif asked and seen.ports and asked not in seen.ports:
            yield _unpublished(tenant, seen, asked)


def _on(tenant: str) -> str:
    return f"orchestrate doctor --fix; by hand: orchestrate shell vespa --tenant {tenant}, then"


def _finding(who: tuple[str, str], seen: VespaReport, code: str, cause: str, fix: str) -> Finding:
    tenant, instance = who
    return Finding(
        code=code,
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"Vespa on {instance} does not answer",
        cause=cause,
        fix=fix,
        evidence=(f"container vespa: {seen.state}, exit {seen.exit_code}", f"config server healthy: {seen.healthy}"),
        explains=_DEATHS | {"vespa-container-down", "vespa-unhealthy"} - {code},
        repair=REPAIR,
    )


def _unpublished(tenant: str, seen: VespaReport, asked: int) -> Finding:
    return Finding(
        code="vespa-port-unpublished",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"nothing can reach Vespa on port {asked}, which the tasks use",
        cause="the container was created without publishing that port",
        fix=f"--publish {asked}:{asked} in the `docker run` of the instance's user_data; then recreate the container",
        evidence=(f"published: {', '.join(map(str, seen.ports))}", f"VESPA_PORT={asked}"),
        explains=_DEATHS,
    )


CHECK: Check[Scene, VespaContainerCheckFacts] = Check(
    id="vespa-container",
    title="Vespa's containers run and are healthy",
    gather=gather,
    judge=judge,
    guide_section="Vespa Vector Search Issues",
)
