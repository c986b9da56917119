"""What the tenants' containers write, as one stream; and what an index's container wrote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.errors import Interrupted, Invalid, Outcome, Problem, Transient
from orchestrator.events import Emit, LogLine, StepFailed
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.app import Operation
    from orchestrator.aws.logs import LogEvent
    from orchestrator.rollout.tail import Search, Tail

EVERY = 2.0
"""Seconds between two readings with `follow` (the setting `poll` says otherwise)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogsOptions(StepOptions):
    """Whose logs; `index`: those of the containers of this kind of index (`vespa`, `opensearch`)."""

    index: str = ""
    container: str = ""
    """Only this container's (api, background, web, nginx)."""
    follow: bool = False
    """Go on with what is written from now on, until asked to stop."""
    since: str = "10m"
    """How long ago (90s, 30m, 1h30m, 2d), or when (ISO 8601)."""
    grep: Sequence[str] = ()
    """Only lines with one of these texts."""


def logs(
    stack: StackRef, options: LogsOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Each line as an event, in the order of time, the secrets of the stack hidden."""
    chosen = options or LogsOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator.rollout import tail

        start = tail.moment(chosen.since, execution.clock.now())
        search = tail.Search.of(tuple(chosen.grep), chosen.container)
        _only_of_tasks(chosen, search)
        operation = execution.look_at()
        operation.learn_secrets()
        if chosen.index:
            return _index(execution, operation, chosen.index, search, start)
        return _tasks(execution, operation.tail(search, start), follow=chosen.follow)

    return perform("logs", stack, work, emit=emit, caller=caller, steps=chosen)


def _only_of_tasks(chosen: LogsOptions, search: Search) -> None:
    """Raise `Invalid` for what only CloudWatch can do."""
    from orchestrator.index import provider

    problems, name = [], chosen.index
    title = provider(name).title if name else ""
    if name and chosen.follow:
        fix = f"orchestrate shell {name}, then: sudo docker logs -f {name}"
        problems.append(Problem("follow-impossible", f"{title}'s log can't be followed over SSM", "--follow", fix))
    if name and search.container:
        problems.append(Problem("container-unknown", f"{title} is one container", "--container", "leave it out"))
    if name and search.pattern:
        message = f"{title}'s log doesn't support filter patterns"
        problems.append(Problem("grep-invalid", message, "--grep", "give plain text"))
    if problems:
        raise Invalid(*problems)


def _tasks(execution: Execution, tail: Tail, *, follow: bool) -> Outcome:
    told: set[str] = set()
    while True:
        lines = _read(tail, patient=follow)
        for tenant, record in lines:
            execution.emit(_line(tenant, record))
        if not lines and not follow:
            execution.text(f"no matching line since {tail.start.astimezone():%Y-%m-%d %H:%M:%S}")
        for tenant in sorted(tail.missing - told):
            _say_missing(execution, tenant, tail.groups[tenant])
        told |= tail.missing
        if not follow or not execution.caller.listening():
            return Outcome.FAILED if tail.missing else Outcome.SUCCEEDED
        try:
            execution.clock.sleep(execution.settings["poll"] or EVERY)
        except Interrupted:
            return Outcome.INTERRUPTED


def _read(tail: Tail, *, patient: bool) -> list[tuple[str, LogEvent]]:
    """What is new; nothing where AWS does not answer for a moment and we go on anyway."""
    try:
        return tail.read()
    except Transient:
        if not patient:
            raise
        return []


def _line(tenant: str, record: LogEvent) -> LogLine:
    from orchestrator.rollout.tail import container_of, task_of

    return LogLine(
        step="logs",
        subject=tenant,
        detail=record.message.rstrip("\n"),
        at=record.at.isoformat(timespec="milliseconds"),
        container=container_of(record),
        task=task_of(record),
    )


def _say_missing(execution: Execution, tenant: str, group: str) -> None:
    said = f"there is no log group {group}"
    fix = "terraform apply; check the tenant's `log_group` in the contract"
    execution.emit(StepFailed(step="logs", subject=tenant, detail=said, code="log-group-missing", fix=fix))


def _index(execution: Execution, operation: Operation, kind: str, search: Search, start: datetime) -> Outcome:
    outcome = Outcome.SUCCEEDED
    for tenant, said in operation.index_logs(kind, start).items():
        if isinstance(said, Problem):
            execution.emit(StepFailed(step="logs", subject=tenant, detail=said.message, code=said.code, fix=said.fix))
            outcome = Outcome.FAILED
            continue
        for at, text in said:
            if search.finds(text):
                execution.emit(LogLine(step="logs", subject=tenant, detail=text, at=at, container=kind))
    return outcome
