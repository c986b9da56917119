"""Why a task stopped: from its stop code, exit codes, reasons and last log lines to one named cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.aws.ecs import Task
from orchestrator.rollout import log_lines
from orchestrator.rollout.causes import Cause, Failure, RepairedBy

__all__ = ["Cause", "Failure", "RepairedBy", "classify", "culprits", "failed"]


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: str
    code: str
    message: str
    fix: str
    repaired_by: RepairedBy


_REASON_RULES = (
    _Rule(
        r"toomanyrequests|429 Too Many Requests|pull rate limit",
        "registry-rate-limited",
        "the registry's rate limit was reached",
        "sign in to the registry (repositoryCredentials in the container definition), or use an ECR pull-through cache",
        RepairedBy.TIME,
    ),
    _Rule(
        r"connection issue between the task and|i/o timeout|context deadline exceeded",
        "network-unreachable",
        "the task reached neither Secrets Manager nor the registry",
        "give its subnets a default route (NAT gateway), and let its security group out on 443",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"CannotPull\w*: .*(pull access denied|403 Forbidden|not authorized to perform: ecr:)",
        "image-pull-denied",
        "the registry denies the image to the task's execution role",
        "attach AmazonECSTaskExecutionRolePolicy to it, or give repositoryCredentials; check the repository's name",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"CannotPullContainerError|CannotPullImage|CannotPullECRContainerError",
        "image-pull-failed",
        "the container image could not be pulled",
        "check that the tag exists and that the task can reach the registry (NAT, rate limit, permissions)",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"ResourceInitializationError.*(secret|ssm|Secrets)",
        "secret-unreadable",
        "ECS could not read a secret of the task definition",
        "check that the secret has a value and that the execution role may read it",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"ResourceInitializationError",
        "task-resources-failed",
        "ECS could not prepare the task (network, log group, volumes)",
        "check the log group, the execution role and the subnets' default route",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"InsufficientFreeAddressesInSubnet",
        "subnet-full",
        "the subnet had no free address for the task",
        "give the service a larger subnet, or one more; to see what uses the addresses: `aws ec2 "
        "describe-network-interfaces`",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"RESOURCE:(CPU|MEMORY)|capacity is unavailable",
        "no-capacity",
        "there was no capacity to place the task",
        "add capacity, or make the task smaller",
        RepairedBy.TIME,
    ),
    _Rule(
        r"failed ELB health checks|is unhealthy in \(target-group",
        "target-unhealthy",
        "the load balancer's health check failed and ECS stopped the task",
        "check the health path and port, the grace period (600 s or more) and the application's log",
        RepairedBy.OUTSIDE,
    ),
    _Rule(
        r"container health checks",
        "container-unhealthy",
        "a container's own health check failed and ECS stopped the task",
        "check its healthCheck: the command's port and path, whether its program is in the image, the startPeriod",
        RepairedBy.TASK_DEFINITION,
    ),
    _Rule(
        r"[Ss]pot (interruption|[Tt]ask was interrupted)|^SpotInterruption$",
        "spot-interruption",
        "AWS reclaimed the Spot capacity",
        "none needed: ECS starts another task; to see fewer of these, give FARGATE a base in the strategy",
        RepairedBy.TIME,
    ),
    _Rule(
        r"performing maintenance on the underlying|Host EC2 .*(terminated|stopped)|^TerminationNotice$",
        "host-taken-away",
        "AWS retired the task's host",
        "none needed: ECS starts another task elsewhere",
        RepairedBy.TIME,
    ),
)

_OOM = Cause(
    "out-of-memory",
    "a container was killed for exceeding its memory limit",
    "raise the container's and the task's memory (guide: api 768 MB or more, task 3 GB)",
    RepairedBy.TASK_DEFINITION,
)
_STARTS_SLOWLY = Cause(
    "killed-while-migrating",
    "the load balancer's health check gave up on the task while its migrations were still running",
    "raise the service's healthCheckGracePeriodSeconds above the time its migrations take (600 s or more)",
    RepairedBy.TIME,
)
_ENDING = ("DEACTIVATING", "STOPPING", "DEPROVISIONING", "STOPPED")
"""A task's states once its end is decided: its stop code and reason are there."""
_HEALTH_CHECKED = re.compile(r"health check|is unhealthy")
_MIGRATING = re.compile(r"Running upgrade \S* ?-> ")
_ON_PURPOSE = ("ServiceSchedulerInitiated", "UserInitiated")


def failed(task: Task) -> bool:
    """Whether the task's end is a failure: scale-in, replaced deployments and stops by hand are not.

    A task that is still being stopped counts already: why it ends is known.
    """
    if task.status not in _ENDING or (task.status != "STOPPED" and not task.stop_code):
        return False
    return bool(_HEALTH_CHECKED.search(task.stopped_reason)) or task.stop_code not in _ON_PURPOSE


def culprits(task: Task) -> Sequence[str]:
    """The containers whose logs can tell why: those that exited badly, else those that exited at all.

    Of a task that failed its health checks: the api, which may have been migrating.
    """
    if _HEALTH_CHECKED.search(task.stopped_reason):
        return [one.name for one in task.containers if "api" in one.name]
    bad = [one.name for one in task.containers if one.exit_code not in (None, 0)]
    return bad or [one.name for one in task.containers if one.exit_code == 0 and "Essential" in task.stopped_reason]


def classify(failure: Failure) -> Cause:
    """Name the cause. Codes and container reasons come before log lines; the newest line that matches wins."""
    task = failure.task
    reasons = [task.stopped_reason, *(one.reason for one in task.containers), task.stop_code]
    for one in task.containers:
        if "OutOfMemory" in one.reason:
            return _with(_OOM, f"container {one.name}: {one.reason} (exit {one.exit_code})")
    if _HEALTH_CHECKED.search(task.stopped_reason) and failure.log and _MIGRATING.search(failure.log[-1]):
        return _with(_STARTS_SLOWLY, failure.log[-1].strip()[:300])
    for rule in _REASON_RULES:
        for reason in reasons:
            if re.search(rule.pattern, reason):
                return _named(rule, reason)
    return log_lines.read(failure.log, failure.environment) or _unknown(failure)


def _unknown(failure: Failure) -> Cause:
    exits = ", ".join(f"{one.name} {one.exit_code}" for one in failure.task.containers if one.exit_code is not None)
    last = failure.log[-1].strip() if failure.log else failure.task.stopped_reason
    ended = f"a container ended ({exits or failure.task.stop_code or 'no exit code'})"
    said = f'; the task says "{" ".join(last.split())[:120]}", which is not a known error' if failure.log else ""
    return Cause(
        "container-exited",
        f"{ended}{said}",
        "read its whole log (orchestrate logs): the cause is unknown, so nothing is blamed for it",
        RepairedBy.OUTSIDE,
        last[:300],
    )


def _named(rule: _Rule, evidence: str) -> Cause:
    return Cause(rule.code, rule.message, rule.fix, rule.repaired_by, " ".join(evidence.split())[:300])


def _with(cause: Cause, evidence: str) -> Cause:
    return Cause(cause.code, cause.message, cause.fix, cause.repaired_by, evidence)
