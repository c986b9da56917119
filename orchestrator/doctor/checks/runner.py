"""The runner: the instance that runs SSM commands answers.

Databases are created and inspected through it. If it runs but doesn't answer, its role is checked with IAM's policy
simulator. Left out: Default Host Management.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.aws.ec2 import START_ALLOWED
from orchestrator.aws.iam import Permissions
from orchestrator.aws.network import Instance
from orchestrator.aws.partitions import partition_in
from orchestrator.aws.ssm import Ping
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.errors import OrchestratorError, Transient
from orchestrator.index import PROVIDERS

REGISTRATION = "ssm:UpdateInstanceInformation"
"""What the agent calls home with: AmazonSSMManagedInstanceCore allows it."""
POLICY = "AmazonSSMManagedInstanceCore"
_EXPLAINS = frozenset({"could-not-look", *(f"{one.name}-container-unseen" for one in PROVIDERS)})


@dataclass(frozen=True, slots=True)
class RunnerCheckFacts:
    """The instance (None: there is none) and what SSM says of it (None: never heard of).

    Of one that runs and doesn't answer: its role (empty: none) and what that may not do. `direct`: the database is
    reached without it.
    """

    runner: str
    instance: Instance | None
    ping: Ping | None
    role: str = ""
    permissions: Permissions | None = None
    direct: bool = False


def gather(scene: Scene) -> RunnerCheckFacts:
    """Two calls, shared; two more for a running instance that doesn't answer."""
    if scene.stack.runner is None:
        return RunnerCheckFacts("", None, None)
    runner, direct = scene.stack.runner.instance_id, scene.read.direct
    instance, ping = scene.instances().get(runner), scene.pings().get(runner)
    if instance is None or instance.state != "running" or (ping is not None and ping.online):
        return RunnerCheckFacts(runner, instance, ping, direct=direct)
    role, seen = instance.profile or "", None
    try:
        role = scene.role_of(instance.profile)
        seen = scene.simulate(role, [REGISTRATION], ["*"]) if role else None
    except Transient:
        raise
    except OrchestratorError:
        pass  # who may not ask IAM is still told that the agent is silent
    return RunnerCheckFacts(runner, instance, ping, role, seen, direct)


def judge(facts: RunnerCheckFacts) -> Iterable[Finding]:
    """An instance that boots is no finding; nor is a stack that is meant to have none."""
    if not facts.runner or (facts.ping is not None and facts.ping.online):
        return
    state = facts.instance.state if facts.instance else "InvalidInstanceID.NotFound"
    if state == "pending":
        return
    if state == "running" and facts.permissions is not None and facts.permissions.denied:
        yield _denied(facts)
    elif facts.instance is not None and facts.instance.failure:
        yield _not_startable(facts, facts.instance.failure)
    elif state == "running" and facts.instance is not None and facts.instance.vpc and not facts.role:
        yield _without_role(facts)
    else:
        yield _offline(facts, state)


def _severity(facts: RunnerCheckFacts) -> Severity:
    """With a way to the database that doesn't lead through it, nobody's site depends on it."""
    return Severity.WARNING if facts.direct else Severity.BLOCKER


def _symptom(facts: RunnerCheckFacts) -> str:
    missed = "the search index's container and Redis's token can't be inspected; the database is reached directly"
    return f"no command reaches the runner {facts.runner}: " + (
        missed if facts.direct else "databases can't be created or inspected"
    )


def _denied(facts: RunnerCheckFacts) -> Finding:
    assert facts.permissions is not None  # noqa: S101 - judged before
    name, denied = facts.role.rsplit("/", 1)[-1], facts.permissions.denied[0]
    attach = (
        f"aws iam attach-role-policy --role-name {name} --policy-arn "
        f"arn:{partition_in(facts.role)}:iam::aws:policy/{POLICY}"
    )
    explicit = denied.decision == "explicitDeny"
    return Finding(
        code="runner-role-denied",
        severity=_severity(facts),
        symptom=_symptom(facts),
        cause=f"a policy of {name} denies {REGISTRATION}" if explicit else f"no policy of {name} allows {REGISTRATION}",
        fix=f"remove that statement from the policies of {name}"
        if explicit
        else f"{attach} (aws_iam_role_policy_attachment in Terraform); the agent then registers by itself within "
        "half an hour, or at once after a reboot",
        evidence=(f"{REGISTRATION} by {name}: {denied.decision}", f"PingStatus {_known(facts)}"),
        explains=_EXPLAINS | {"runner-offline"},
    )


def _without_role(facts: RunnerCheckFacts) -> Finding:
    return Finding(
        code="runner-without-role",
        severity=_severity(facts),
        symptom=_symptom(facts),
        cause="the instance has no role: its agent may not register",
        fix=f"iam_instance_profile in aws_instance, of a role with {POLICY}; terraform apply (at once: "
        f"aws ec2 associate-iam-instance-profile --instance-id {facts.runner} --iam-instance-profile Name=<profile>)",
        evidence=(f"IamInstanceProfile of {facts.runner}: none, or one without a role", f"PingStatus {_known(facts)}"),
        explains=_EXPLAINS | {"runner-offline"},
    )


def _not_startable(facts: RunnerCheckFacts, why: str) -> Finding:
    return Finding(
        code="instance-not-startable",
        severity=_severity(facts),
        symptom=_symptom(facts),
        cause="EC2 tried to start its instance, could not, and stopped it again",
        fix=f"{START_ALLOWED}: aws ec2 start-instances --instance-ids {facts.runner}",
        evidence=(why, f"PingStatus {_known(facts)}"),
        explains=_EXPLAINS | {"runner-offline"},
        at_rest=True,
    )


def _known(facts: RunnerCheckFacts) -> str:
    return facts.ping.status or "none" if facts.ping else "never registered"


def _offline(facts: RunnerCheckFacts, state: str) -> Finding:
    running = state == "running"
    return Finding(
        code="runner-offline",
        severity=_severity(facts),
        symptom=_symptom(facts),
        cause=_cause(facts, running=running),
        fix=f"aws ec2 reboot-instances --instance-ids {facts.runner}; its role needs {POLICY}, its subnet a route to "
        "SSM"
        if running
        else f"aws ec2 start-instances --instance-ids {facts.runner} (terminated: terraform apply)",
        evidence=(f"PingStatus {_known(facts)}", f"instance state {state}"),
        explains=_EXPLAINS,
        at_rest=state.startswith("stop"),
        contradicted=running and facts.ping is not None,
    )


def _cause(facts: RunnerCheckFacts, *, running: bool) -> str:
    if not running:
        return "its instance is not running"
    if facts.ping is None:
        return "its agent never registered: no role for SSM, or no route to it"
    return "its agent stopped answering"


CHECK: Check[Scene, RunnerCheckFacts] = Check(
    id="runner",
    title="The runner answers over SSM",
    gather=gather,
    judge=judge,
    guide_section="Terraform Destroy/Apply Cycle",
)
