"""`vespa-containers`: after a start of its instance each tenant's Vespa is healthy again, as its instance sees it.

The container comes back by itself (`--restart unless-stopped`, dockerd enabled at boot), with the index on its volume.
Asked over SSM and read-only, with the script of the check `vespa-container`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from orchestrator.aws.ssm import Output
from orchestrator.checks.vespa_container import AT_ONCE, SCRIPT, SECONDS, Inside
from orchestrator.contract import Stack, Vespa
from orchestrator.engine.step import Done, Step, Subject, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.errors import OrchestratorError


class Shell(Protocol):
    """SSM."""

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> Output:
        """Run a script there."""
        ...


class Context(Protocol):
    """What the step needs."""

    @property
    def stack(self) -> Stack:
        """The contract."""
        ...

    @property
    def ssm(self) -> Shell:
        """SSM."""
        ...


@dataclass(frozen=True, slots=True)
class Facts:
    """By tenant its Vespa's instance, and what that said; absent: it did not answer yet."""

    instances: Mapping[Subject, str]
    inside: Mapping[Subject, Inside]


def observe(context: Context) -> Facts:
    """One command an instance, all at the same time."""
    tenants = {tenant: one for tenant, one in context.stack.vespa.items() if tenant in context.stack.tenants}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = dict(zip(tenants, pool.map(lambda one: _look(context.ssm, one), tenants.values()), strict=True))
    instances = {tenant: one.instance_id for tenant, one in tenants.items()}
    return Facts(instances, {tenant: one for tenant, one in said.items() if one is not None})


def _look(ssm: Shell, vespa: Vespa) -> Inside | None:
    script = SCRIPT.replace("__PORT__", str(vespa.config_port))
    try:
        output = ssm.run(vespa.instance_id, script, comment="orchestrate: look at Vespa (read-only)", timeout=SECONDS)
        return Inside(**json.loads(output.stdout.strip().splitlines()[-1]))
    except (OrchestratorError, IndexError, ValueError, TypeError):
        return None  # an agent that is not there yet, or an instance in the middle of its boot


def decide(facts: Facts) -> Verdicts:
    """Per tenant."""
    return {tenant: _verdict(name, facts.inside.get(tenant)) for tenant, name in facts.instances.items()}


def _verdict(instance: str, seen: Inside | None) -> Verdict:
    enter = f"aws ssm start-session --target {instance}"
    if seen is None:
        return Wait(f"{instance} doesn't answer over SSM yet", "vespa-container-unseen", enter)
    if not seen.dockerd:
        return Wait(f"docker doesn't run on {instance} yet", "dockerd-down", f"{enter}: systemctl enable --now docker")
    if seen.state != "running":
        fix = f"{enter}: docker start vespa"
        return Wait(f"the container vespa on {instance} is {seen.state}", "vespa-container-down", fix)
    if not seen.healthy:
        fix = f"{enter}: docker logs vespa --tail 100"
        return Wait(f"Vespa on {instance} runs and isn't healthy yet", "vespa-unhealthy", fix)
    return Done(f"Vespa on {instance} is healthy")


STEP: Step[Context, Facts] = Step(
    id="vespa-containers",
    title="Vespa's containers run and are healthy",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    needs=("runner",),
    timeout=900,
    poll=5,
)
