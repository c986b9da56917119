"""An index from inside its instance, over SSM, read-only: dockerd, the container, its ports, and whether it answers.

For an index that runs but can't be used, it says why: a rejected password, a damaged shard, a full disk.
Vespa answers queries on `:8081` only once the api has deployed its application package, so that proves nothing about a
new one: its config server is checked instead. The port that must be published is the one the tasks themselves use
(VESPA_PORT).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.index import PROVIDERS, UNREACHABLE, AnyIndex
from orchestrator.index.report import IndexReport
from orchestrator.stack.indexes import KnownServer

LITTLE, FULL = 85, 95
"""Percent of its disk from which OpenSearch (and Elasticsearch before it) places no new shards, and writes no more.

Source: cluster.routing.allocation.disk.watermark.low and .flood_stage, by default.
"""

_REFUSALS = ("unreachable", "login-refused")
"""What tasks say of an index that is not well."""


@dataclass(frozen=True, slots=True)
class IndexContainerCheckFacts:
    """By tenant the instance and what it said (those that SSM reaches only), and the port its tasks ask."""

    indexes: Mapping[str, KnownServer]
    inside: Mapping[str, IndexReport]
    asked: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IndexContainerCheck:
    """The check of one kind of index."""

    index: AnyIndex

    def gather(self, scene: Scene) -> IndexContainerCheckFacts:
        """One command for all instances that are online."""
        pings, indexes = scene.pings(), self.index.of(scene.stack)
        online = {
            tenant: one
            for tenant, one in indexes.items()
            if (ping := pings.get(one.instance_id)) is not None and ping.online
        }
        said = self.index.look(scene.read.ssm, online, who="doctor")
        scene.miss(f"{self.index.name}-container", {it: error.problems[0] for it, error in said.failures.items()})
        seen = {tenant: one for tenant, one in said.results.items() if one is not None}
        ports = scene.index_ports()
        return IndexContainerCheckFacts(indexes, seen, {tenant: ports[self.index.name, tenant] for tenant in seen})

    def judge(self, facts: IndexContainerCheckFacts) -> Iterable[Finding]:
        """Docker before the container, the container before its health and its ports."""
        for tenant, seen in facts.inside.items():
            asked = facts.asked.get(tenant)
            if seen.booting and (not seen.dockerd or seen.state == "absent"):
                continue
            if wrong := self._wrong(tenant, seen):
                yield self._finding((tenant, facts.indexes[tenant].instance_id), seen, *wrong)
            else:
                if asked and seen.ports and asked not in seen.ports:
                    yield self._unpublished(tenant, seen, asked)
                if (seen.disk or 0) >= LITTLE:
                    yield self._full(tenant, facts.indexes[tenant].instance_id, seen.disk or 0)

    def _wrong(self, tenant: str, seen: IndexReport) -> tuple[str, str, str] | None:
        """Code, cause and fix."""
        name, on = self.index.name, f"orchestrate doctor --fix; by hand: orchestrate shell {self.index.name}"
        on += f" --tenant {tenant}, then"
        if not seen.dockerd:
            return "dockerd-down", "Docker is not running on the instance", f"{on} sudo systemctl enable --now docker"
        if seen.state == "absent" and not seen.pulled:
            fix = f"{on} the `docker run` of the instance's user_data (it pulls; data volume, restart policy)"
            cause = "its image was never pulled (no default route, or the registry's rate limit, when user_data ran)"
            return f"{name}-image-missing", cause, fix
        if seen.state == "absent":
            fix = f"{on} the `docker run` of the instance's user_data (pinned image, data volume, restart)"
            return f"{name}-container-missing", f"there is no container named {name}", fix
        if seen.state != "running":
            cause = f"its container is {seen.state} (exit {seen.exit_code})"
            if seen.exit_code == 137:
                cause += ": killed, usually for its memory (it needs at least 4 GB)"
            return f"{name}-container-down", cause, f"{on} sudo docker start {name}"
        if seen.trouble:
            trouble = self.index.troubles[seen.trouble]
            return f"{name}-{seen.trouble}", trouble.cause, trouble.fix.format(tenant=tenant)
        if not seen.healthy:
            fix = f"orchestrate logs {name} --tenant {tenant}; {on} sudo docker restart {name}"
            return f"{name}-unhealthy", f"the container runs, but {self.index.answerer} does not answer", fix
        return None

    def _finding(self, who: tuple[str, str], seen: IndexReport, code: str, cause: str, fix: str) -> Finding:
        tenant, instance = who
        name, title, speaker = self.index.name, self.index.title, self.index.answerer.removeprefix("its ")
        return Finding(
            code=code,
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"{title} on {instance} {'cannot be used' if seen.trouble else 'does not answer'}",
            cause=cause,
            fix=fix,
            evidence=(f"container {name}: {seen.state}, exit {seen.exit_code}", f"{speaker} healthy: {seen.healthy}"),
            explains=self._deaths | {f"{name}-container-down", f"{name}-unhealthy"} - {code},
            repair="" if seen.trouble else f"{name}-containers",
        )

    @property
    def _deaths(self) -> frozenset[str]:
        return frozenset({*UNREACHABLE, *(f"task-{self.index.name}-{how}" for how in _REFUSALS)})

    def _unpublished(self, tenant: str, seen: IndexReport, asked: int) -> Finding:
        return Finding(
            code=f"{self.index.name}-port-unpublished",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"nothing can reach {self.index.title} on port {asked}, which the tasks use",
            cause="the container was created without publishing that port",
            fix=f"--publish {asked}:{asked} in the `docker run` of the instance's user_data; "
            "then recreate the container",
            evidence=(f"published: {', '.join(map(str, seen.ports))}", f"{self.index.port_variable}={asked}"),
            explains=self._deaths,
        )

    def _full(self, tenant: str, instance: str, percent: int) -> Finding:
        name, title, over = self.index.name, self.index.title, percent >= FULL
        then = (
            "its indexes are read-only until there is room"
            if over
            else "soon it allocates no new shards, then it stops writing"
        )
        return Finding(
            code=f"{name}-disk-{'full' if over else 'low'}",
            severity=Severity.BLOCKER if over else Severity.WARNING,
            subject=tenant,
            symptom=f"{title} on {instance} no longer accepts documents" if over else f"{title}'s disk is getting full",
            cause=f"its disk is {percent} % full: {then}",
            fix="a larger volume: raise its size in Terraform (opensearch_volume_gb), apply, then on the instance "
            "(orchestrate shell) grow the file system: sudo xfs_growfs -d /opt/opensearch (or resize2fs)",
            evidence=(f"disk.percent {percent}",),
            explains=frozenset({f"task-{name}-disk-full", "task-container-exited"}) if over else frozenset(),
        )

    def check(self) -> Check[Scene, IndexContainerCheckFacts]:
        """For the doctor."""
        return Check(
            id=f"{self.index.name}-container",
            title=f"{self.index.title}'s containers run and are healthy",
            gather=self.gather,
            judge=self.judge,
            guide_section=self.index.guide_section,
        )


CHECKS = tuple(IndexContainerCheck(one).check() for one in PROVIDERS)
