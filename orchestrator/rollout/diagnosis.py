"""Why a task stopped: from its stop code, exit codes, reasons and last log lines to one named cause. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from orchestrator.aws.ecs import Task
from orchestrator.rollout import log_lines, stop_reasons
from orchestrator.rollout.causes import Cause, Failure, RepairedBy
from orchestrator.rollout.log_rules import container
from orchestrator.rollout.log_rules.rule import LogRule

__all__ = ["Cause", "Failure", "RepairedBy", "classify", "culprits", "failed"]


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
    return (
        _by_reason((*stop_reasons.FIRST, *container.RULES, *container.LAST, *stop_reasons.LAST), reasons)
        or log_lines.read(failure.log, failure.environment)
        or _by_exit(task)
        or _unknown(failure)
    )


def _by_reason(rules: Iterable[LogRule], reasons: Sequence[str]) -> Cause | None:
    return next((_named(rule, one) for rule in rules for one in reasons if re.search(rule.pattern, one)), None)


def _by_exit(task: Task) -> Cause | None:
    """What the exit code alone says: a shell's of a command, the kernel's of a signal."""
    for one in task.containers:
        if (rule := stop_reasons.EXITS.get(one.exit_code or 0)) is not None:
            return _named(rule, f"container {one.name}: exit {one.exit_code}")
    return None


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


def _named(rule: LogRule, evidence: str) -> Cause:
    return Cause(rule.code, rule.message, rule.fix, rule.repaired_by, " ".join(evidence.split())[:300])


def _with(cause: Cause, evidence: str) -> Cause:
    return Cause(cause.code, cause.message, cause.fix, cause.repaired_by, evidence)
