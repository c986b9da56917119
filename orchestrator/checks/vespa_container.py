"""Vespa from inside its instance, over SSM and read-only: dockerd, the container, the config server's health.

`:8081` answers only once the api has deployed its application package, so it proves nothing about a fresh Vespa.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from orchestrator.contract import Vespa
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.errors import OrchestratorError, Transient
from orchestrator.scene import Scene

AT_ONCE = 8
SECONDS = 60
SCRIPT = """
dockerd=true image=true healthy=false
if seen=$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' vespa 2>/dev/null); then
  if [ "${seen% *}" = running ] && curl -sf -m 5 -o /dev/null http://localhost:__PORT__/state/v1/health; then
    healthy=true
  fi
else
  seen="absent 0"
  docker info >/dev/null 2>&1 || dockerd=false
  [ -n "$(docker images -q vespaengine/vespa 2>/dev/null)" ] || image=false
fi
printf '{"dockerd": %s, "state": "%s", "exit_code": %s, "image": %s, "healthy": %s}\\n' \\
  "$dockerd" "${seen% *}" "${seen#* }" "$image" "$healthy"
"""
_DEATHS = frozenset({"task-vespa-unreachable"})
_IMAGE = "docker run -d --name vespa --hostname vespa-container --restart unless-stopped -p 8081:8081 -p 19071:19071 "


@dataclass(frozen=True, slots=True)
class Inside:
    """What an instance says of its Vespa. `state` is docker's word, absent: no such container."""

    dockerd: bool = True
    state: str = "running"
    exit_code: int = 0
    healthy: bool = True
    image: bool = True
    """Whether docker has an image to make one from."""


@dataclass(frozen=True, slots=True)
class Facts:
    """By tenant the instance and what it said (those that SSM reaches only)."""

    vespas: Mapping[str, Vespa]
    inside: Mapping[str, Inside]


def gather(scene: Scene) -> Facts:
    """One command an instance that is online, all at the same time."""
    pings = scene.pings()
    asked = {
        tenant: vespa
        for tenant, vespa in scene.stack.vespa.items()
        if (ping := pings.get(vespa.instance_id)) is not None and ping.online
    }
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(zip(asked, pool.map(lambda vespa: _look(scene, vespa), asked.values()), strict=True))
    return Facts(scene.stack.vespa, {tenant: one for tenant, one in said.items() if one is not None})


def _look(scene: Scene, vespa: Vespa) -> Inside | None:
    script = SCRIPT.replace("__PORT__", str(vespa.config_port))
    try:
        output = scene.read.ssm.run(
            vespa.instance_id, script, comment="orchestrate doctor: look at Vespa (read-only)", timeout=SECONDS
        )
        return Inside(**json.loads(output.stdout.strip().splitlines()[-1]))
    except Transient:
        raise
    except (OrchestratorError, IndexError, ValueError, TypeError):
        return None  # an instance without docker's or curl's usual words: nothing is known, nothing is claimed


def judge(facts: Facts) -> Iterable[Finding]:
    """Docker before the container, the container before its health."""
    for tenant, seen in facts.inside.items():
        instance = facts.vespas[tenant].instance_id
        if not seen.dockerd:
            fix = f"{_on(instance)} 'systemctl enable --now docker && docker start vespa'"
            yield _finding((tenant, instance), seen, "dockerd-down", "docker does not run on the instance", fix)
        elif seen.state == "absent" and not seen.image:
            fix = f"{_on(instance)} '{_IMAGE}vespaengine/vespa:8.609.39' (it pulls; volume and tag as in user_data)"
            cause = "its image was never pulled (no way out, or the registry's rate limit, when user_data ran)"
            yield _finding((tenant, instance), seen, "vespa-image-missing", cause, fix)
        elif seen.state == "absent":
            fix = f"{_on(instance)} '{_IMAGE}vespaengine/vespa:8.609.39' (volume and tag as in user_data)"
            yield _finding(
                (tenant, instance), seen, "vespa-container-missing", "there is no container named vespa", fix
            )
        elif seen.state != "running":
            fix = f"{_on(instance)} 'docker start vespa'"
            cause = f"its container is {seen.state} (exit {seen.exit_code})"
            if seen.exit_code == 137:
                cause += ": killed, most often for its memory (4 GB is the least)"
            yield _finding((tenant, instance), seen, "vespa-container-down", cause, fix)
        elif not seen.healthy:
            fix = f"{_on(instance)} 'docker logs vespa --tail 100' (then: docker restart vespa)"
            cause = "the container runs, its config server does not answer"
            yield _finding((tenant, instance), seen, "vespa-unhealthy", cause, fix)


def _on(instance: str) -> str:
    return f"aws ssm start-session --target {instance}, then: sudo sh -c"


def _finding(who: tuple[str, str], seen: Inside, code: str, cause: str, fix: str) -> Finding:
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
    )


CHECK: Check[Scene, Facts] = Check(
    id="vespa-container",
    title="Vespa's containers run and are healthy",
    gather=gather,
    judge=judge,
    guide_section="Vespa Vector Search Issues",
)
