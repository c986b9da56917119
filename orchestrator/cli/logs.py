"""`orchestrate logs`: what the tenants' containers write, as one stream; and what Vespa's container wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options, tenant_option

if TYPE_CHECKING:
    from datetime import datetime

    from orchestrator.app import Operation
    from orchestrator.aws.logs import Record
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome
    from orchestrator.events import LogLine
    from orchestrator.tail import Search, Tail

EVERY = 2.0
"""Seconds between two readings with --follow (`--poll` says otherwise)."""


@click.command()
@click.argument("source", required=False, type=click.Choice(["vespa"]), metavar="[vespa]")
@click.option("--container", metavar="NAME", default="", help="Only this container (api, background, web, nginx).")
@click.option("--follow", "-f", is_flag=True, help="Keep printing new lines until Ctrl-C.")
@click.option(
    "--since", default="10m", show_default=True, help="How long ago (90s, 30m, 1h30m, 2d), or when (ISO 8601)."
)
@click.option(
    "--grep", multiple=True, metavar="TEXT", help="Only lines that contain this text (repeatable: any of them)."
)
@contract_option
@tenant_option
@place_options
@settings_options
def logs(source: str | None, *, container: str, follow: bool, since: str, grep: tuple[str, ...], **given: Any) -> None:
    """Show the logs of the tenants' containers, in the order of time; with `vespa`, those of Vespa's containers.

    --grep takes plain texts, or one CloudWatch filter pattern (`?ERROR ?Exception`, `"two words"`, `%regex%`). Vespa's
    are fetched over SSM, which carries the last 20,000 characters. Secrets of the stack are shown as ***.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import tail

        start = tail.moment(since, conductor.clock.now())
        search = tail.Search.of(grep, container)
        _only_of_tasks(source, follow=follow, search=search)
        operation = conductor.look_at(given["contract"])
        operation.learn_secrets()
        if source == "vespa":
            return _vespa(conductor, operation, search, start)
        return _tasks(conductor, operation.tail(search, start), follow=follow)

    conduct("logs", Options.of(given), work)


def _only_of_tasks(source: str | None, *, follow: bool, search: Search) -> None:
    """Raise `Invalid` for what only CloudWatch can do."""
    from orchestrator.errors import Invalid, Problem

    problems = []
    if source and follow:
        fix = "orchestrate shell vespa, then: sudo docker logs -f vespa"
        problems.append(Problem("follow-impossible", "Vespa's log can't be followed over SSM", "--follow", fix))
    if source and search.container:
        problems.append(Problem("container-unknown", "Vespa is one container", "--container", "leave it out"))
    if source and search.pattern:
        problems.append(
            Problem("grep-invalid", "Vespa's log doesn't support filter patterns", "--grep", "give plain texts")
        )
    if problems:
        raise Invalid(*problems)


def _tasks(conductor: Conductor, tail: Tail, *, follow: bool) -> Outcome:
    from orchestrator.errors import Interrupted, Outcome

    told: set[str] = set()
    while True:
        lines = _read(tail, patient=follow)
        for tenant, record in lines:
            conductor.emit(_line(tenant, record))
        if not lines and not follow:
            conductor.text(f"no such line since {tail.start.astimezone():%Y-%m-%d %H:%M:%S}")
        for tenant in sorted(tail.missing - told):
            _say_missing(conductor, tenant, tail.groups[tenant])
        told |= tail.missing
        if not follow or conductor.voice.unheard:
            return Outcome.FAILED if tail.missing else Outcome.SUCCEEDED
        try:
            conductor.clock.sleep(conductor.settings["poll"] or EVERY)
        except Interrupted:
            return Outcome.INTERRUPTED


def _read(tail: Tail, *, patient: bool) -> list[tuple[str, Record]]:
    """What is new; nothing where AWS does not answer for a moment and we go on anyway."""
    from orchestrator.errors import Transient

    try:
        return tail.read()
    except Transient:
        if not patient:
            raise
        return []


def _line(tenant: str, record: Record) -> LogLine:
    from orchestrator.events import LogLine
    from orchestrator.tail import container_of, task_of

    return LogLine(
        step="logs",
        subject=tenant,
        detail=record.message.rstrip("\n"),
        at=record.at.isoformat(timespec="milliseconds"),
        container=container_of(record),
        task=task_of(record),
    )


def _say_missing(conductor: Conductor, tenant: str, group: str) -> None:
    from orchestrator.events import StepFailed

    said = f"there is no log group {group}"
    fix = "terraform apply; check the tenant's `log_group` in the contract"
    conductor.emit(StepFailed(step="logs", subject=tenant, detail=said, code="log-group-missing", fix=fix))


def _vespa(conductor: Conductor, operation: Operation, search: Search, start: datetime) -> Outcome:
    from orchestrator.errors import Outcome, Problem
    from orchestrator.events import LogLine, StepFailed

    outcome = Outcome.SUCCEEDED
    for tenant, said in operation.vespa_logs(start).items():
        if isinstance(said, Problem):
            conductor.emit(StepFailed(step="logs", subject=tenant, detail=said.message, code=said.code, fix=said.fix))
            outcome = Outcome.FAILED
            continue
        for at, text in said:
            if search.finds(text):
                conductor.emit(LogLine(step="logs", subject=tenant, detail=text, at=at, container="vespa"))
    return outcome
