"""The runner: the instance that SSM commands go to answers. Databases are made, and looked at, through it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.aws.network import Instance
from orchestrator.aws.ssm import Ping
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity


@dataclass(frozen=True, slots=True)
class RunnerCheckFacts:
    """The instance (None: there is none) and what SSM says of it (None: never heard of)."""

    runner: str
    instance: Instance | None
    ping: Ping | None


def gather(scene: Scene) -> RunnerCheckFacts:
    """Two calls, shared."""
    if scene.stack.runner is None:
        return RunnerCheckFacts("", None, None)
    runner = scene.stack.runner.instance_id
    return RunnerCheckFacts(runner, scene.instances().get(runner), scene.pings().get(runner))


def judge(facts: RunnerCheckFacts) -> Iterable[Finding]:
    """An instance that boots is no finding; nor is a stack that is meant to have none."""
    if not facts.runner or (facts.ping is not None and facts.ping.online):
        return
    state = facts.instance.state if facts.instance else "InvalidInstanceID.NotFound"
    if facts.instance is not None and facts.instance.state == "pending":
        return
    known = facts.ping.status if facts.ping else "never registered"
    running = state == "running"
    yield Finding(
        code="runner-offline",
        severity=Severity.BLOCKER,
        symptom=f"no command reaches the runner {facts.runner}: databases can't be made or looked at",
        cause=_cause(facts, running=running),
        fix=f"aws ec2 reboot-instances --instance-ids {facts.runner}; its role needs AmazonSSMManagedInstanceCore"
        if running
        else f"aws ec2 start-instances --instance-ids {facts.runner} (terminated: terraform apply)",
        evidence=(f"PingStatus {known}", f"instance state {state}"),
        explains=frozenset({"could-not-look", "vespa-container-unseen"}),
        at_rest=state.startswith("stop"),
    )


def _cause(facts: RunnerCheckFacts, *, running: bool) -> str:
    if not running:
        return "its instance does not run"
    if facts.ping is None:
        return "its agent never registered: no role for SSM, or no way out to it"
    return "its agent stopped answering"


CHECK: Check[Scene, RunnerCheckFacts] = Check(
    id="runner",
    title="The runner answers over SSM",
    gather=gather,
    judge=judge,
    guide_section="Terraform Destroy/Apply Cycle",
)
