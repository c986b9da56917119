"""`orchestrate fleet schedule` and `orchestrate fleet watch`: what happens by itself, at its times."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.fleet_edge import file_option, service_of
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.fleet.calendar import Calendar, CalendarEntry
    from orchestrator.fleet.engine import FleetEngine
    from orchestrator.fleet.jobs import Words
    from orchestrator.fleet.service import FleetService

JOBS = ("cron", "systemd", "eventbridge")
INTERVALS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 360, 480, 720)
"""Minutes. Of others, cron would leave the last one of an hour, or of a day, shorter."""
name_option = click.option(
    "--name",
    default="default",
    show_default=True,
    metavar="NAME",
    help="The calendar's name; a new one replaces one of the same name.",
)
remove_option = click.option("--remove", is_flag=True, help="Delete the calendar.")
print_option = click.option(
    "--print",
    "form",
    type=click.Choice(JOBS),
    help="Save no calendar; print the lines that make this scheduler do it instead.",
)


@command()
@click.argument("sentence", required=False, default="")
@name_option
@remove_option
@print_option
@file_option
def schedule(*, sentence: str, name: str, remove: bool, form: str | None, file: Path) -> None:
    """Do something at the same times of each week: SENTENCE says what, when and to whom.

    Without SENTENCE, show the calendars, what comes next, and what the pauses have saved so far. Workers carry it out
    (`orchestrate fleet worker`), and stop a paused stack's database again after RDS has started it.
    """
    service = service_of(file)

    def words(entry: CalendarEntry | None) -> Sequence[str]:
        return _fleet_words(file, entry)

    given(service, sentence, name=name, remove=remove, form=form, words=words, folder=file.absolute().parent)


def given(
    service: FleetService, sentence: str, *, name: str, remove: bool, form: str | None, words: Words, folder: Path
) -> None:
    """What the options ask for: lines to print, a calendar to keep, one to forget, or all of them to be shown."""
    from orchestrator.cli.extras import require_fleet
    from orchestrator.fleet import calendar, jobs

    require_fleet()
    if sentence and form:
        for line in jobs.lines(form, calendar.read(sentence, folder), words):
            click.echo(line)
        return
    if form or (sentence and remove):
        raise click.UsageError("--print needs a sentence, and --remove takes none")
    kept = calendar.read(sentence, folder) if sentence else None
    engine = service.engine()
    try:
        if remove:
            engine.schedules.require(name)
            click.echo(f"forgotten: {name}")
        elif kept is not None:
            before = engine.schedules.keep(name, kept)
            click.echo(f"{'replaced' if before else 'kept'}: {name}")
            _show(name, kept)
        else:
            _show_all(engine)
    finally:
        engine.close()


def _show_all(engine: FleetEngine) -> None:
    from orchestrator.fleet.savings import total

    found = engine.schedules.calendars()
    for name, kept in found.items():
        click.echo(f"{name}: {kept.sentence}")
        _show(name, kept)
    if not found:
        click.echo("no calendar is kept")
    saved = total([one for seen in engine.orders("resume-") for one in seen.results])
    if saved:
        click.echo(f"saved so far: about ${saved:,.2f}, as estimated")


def _show(name: str, kept: Calendar) -> None:
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet.timetable import coming
    from orchestrator.render.tables import Sheet, write

    sheet = Sheet("next", "what", "calendar")
    for time, entry in coming(kept, datetime.now(UTC)):
        sheet.add(f"{time:%a %Y-%m-%d %H:%M %Z}", f"{entry.verb} {entry.whom}", name)
    write(sheet, sys.stdout, colours=colours(sys.stdout))


def _fleet_words(file: Path, entry: CalendarEntry | None) -> Sequence[str]:
    """The command line of an entry; the keeping of paused databases is each stack's."""
    fleet = ("--fleet", str(file.absolute()))
    if entry is None:
        return ("orchestrate", "fleet", "exec", *fleet, "--", "orchestrate", "pause", "--keep-paused")
    chosen = [word for name in entry.names for word in ("--stack", name)]
    chosen += [word for label in entry.labels for word in ("--label", label)]
    agreed = ("--auto-approve",) if entry.verb == "pause" else ()
    return ("orchestrate", "fleet", entry.verb, *fleet, *chosen, *agreed)


@command()
@click.option(
    "--every",
    "minutes",
    type=click.Choice([str(one) for one in INTERVALS]),
    default="15",
    show_default=True,
    metavar="MINUTES",
    help="Minutes between two checks of a stack: a divisor of 60, or whole hours that divide a day (up to 720).",
)
@click.option("--stack", "names", multiple=True, metavar="NAME", help="Only this stack (repeatable).")
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only stacks with this label (repeatable)."
)
@click.option("--off", is_flag=True, help="Stop watching.")
@file_option
def watch(*, minutes: str, names: tuple[str, ...], labels: tuple[str, ...], off: bool, file: Path) -> None:
    """Check every stack regularly, and report once what got worse, with the doctor's cause.

    Reports go to the receivers that [notify] in fleet.toml names: a webhook, Slack, a command. With SQLite this command
    keeps running and does it; with PostgreSQL the workers do. [watch] in fleet.toml limits the AWS calls of a round.
    """
    from orchestrator.fleet.selection import selected

    service = service_of(file)
    selected(service.fleet.stacks, names=names, labels=labels)
    with service.leaving():
        engine = service.engine()
        if off:
            engine.schedules.unwatch()
            click.echo("the watch has ended")
            return
        engine.schedules.watch(int(minutes), names, labels)
        click.echo(f"every stack is looked at every {minutes} minutes; end it with {shlex.join(_end_of(file))}")
        if service.fleet.shared:
            click.echo("`orchestrate fleet worker` does it")
            return
        sys.stdout.flush()
        if not service.begin():
            click.echo("another process on this machine already does this")
            return
        service.serve()


def _end_of(file: Path) -> Sequence[str]:
    return ("orchestrate", "fleet", "watch", "--off", "--fleet", str(file))
