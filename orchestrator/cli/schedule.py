"""`orchestrate schedule`: one stack's calendar, by the engine of fleets: a fleet of one."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.fleet_calendar import INTERVALS, given, print_option, remove_option
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.fleet.calendar import CalendarEntry
    from orchestrator.fleet.file import Fleet
    from orchestrator.fleet.service import FleetService

NAME = "default"
"""Of the one calendar of a stack."""
OFF = "off"


@command()
@click.argument("sentence", required=False, default="")
@click.option(
    "--chdir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="Terraform's directory [default: here].",
)
@click.option("--work", is_flag=True, help="Stay in the foreground and do what the calendar says, until stopped.")
@click.option(
    "--watch",
    type=click.Choice([*map(str, INTERVALS), OFF]),
    metavar="MINUTES",
    help="Stay too, and check the stack every so many minutes: what gets worse is reported once to those that [notify] "
    "in orchestrate.toml names, with the doctor's cause. `off` ends the watch.",
)
@remove_option
@print_option
def schedule(*, sentence: str, directory: Path, work: bool, watch: str | None, remove: bool, form: str | None) -> None:
    """Pause, resume, back up … this stack at fixed times of the week: SENTENCE says what and when.

    Needs the extra `fleet`. Something must run it: `orchestrate schedule --work`, or another scheduler,
    whose lines --print prints. Without SENTENCE, show the calendar, what comes next, and what the pauses have saved.
    """
    from orchestrator.cli.fleet_edge import serving

    service = serving(_fleet_of(directory))

    def words(entry: CalendarEntry | None) -> Sequence[str]:
        where = ("--chdir", str(directory.absolute()))
        if entry is None:
            return ("orchestrate", "pause", "--keep-paused", *where)
        return ("orchestrate", entry.verb, *where, *(("--auto-approve",) if entry.verb == "pause" else ()))

    if watch and (remove or form):
        raise click.UsageError("--watch goes with neither --remove nor --print")
    if sentence or remove or form or not (work or watch):
        given(service, sentence, name=NAME, remove=remove, form=form, words=words, folder=directory)
    if watch:
        _watched(service, watch)
    if (work and not (remove or form)) or (watch and watch != OFF):
        _stay(service, directory)


def _watched(service: FleetService, minutes: str) -> None:
    engine = service.engine()
    try:
        if minutes == OFF:
            engine.schedules.unwatch()
            click.echo("the watch has ended")
            return
        engine.schedules.watch(int(minutes), (), ())
    finally:
        engine.close()
    whom = "those that [notify] names" if service.fleet.notices else "nobody: orchestrate.toml has no [notify]"
    click.echo(f"the stack is looked at every {minutes} minutes, and what gets worse is reported to {whom}")


def _stay(service: FleetService, directory: Path) -> None:
    from orchestrator.errors import Locked, Problem

    with service.leaving():
        if not service.begin():
            fix = "one is enough: it does what you have just set"
            raise Locked(Problem("fleet-has-worker", "another process already runs this calendar", str(directory), fix))
        sys.stdout.flush()
        service.serve()


def _fleet_of(directory: Path) -> Fleet:
    """A fleet of this stack alone, whose orders are kept beside it, and those whom it notifies."""
    from orchestrator.fleet.file import STATE, VARIABLE, Fleet, FleetStack, named
    from orchestrator.settings import Settings

    folder = directory.absolute()
    database = os.environ.get(VARIABLE) or f"sqlite:///{folder / STATE}"
    notices = Settings({}, os.environ, folder).notices
    return Fleet((FleetStack(named(folder.name), folder),), database, notices=notices, folder=folder)
