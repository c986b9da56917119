"""What all commands of `orchestrate fleet` share: the fleet of a file, how an order is shown, what is asked."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from orchestrator.fleet.engine import OrderStatus
    from orchestrator.fleet.file import Fleet
    from orchestrator.fleet.orders import Order, StackResult
    from orchestrator.fleet.service import FleetService, Picture

FORMS = ("table", "json", "markdown", "junit", "html")

file_option = click.option(
    "--fleet",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("fleet.toml"),
    show_default=True,
    help="File that lists the stacks; without one, every folder below here that has an orchestrate.toml.",
)
report_option = click.option(
    "--report",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="Format of the final report.",
)


def service_of(file: Path) -> FleetService:
    """The fleet of this file, as this process sees it; signals ask it to stop. Raises `Invalid`."""
    from orchestrator.fleet.file import read

    return serving(read(file, dict(os.environ)))


def serving(fleet: Fleet) -> FleetService:
    """What this process sees of the fleet; signals ask it to stop."""
    from orchestrator.cli.edge import listen
    from orchestrator.fleet.service import FleetService

    service = FleetService(fleet, dict(os.environ), socket.gethostname(), os.getpid(), _abandon)
    listen(service.ask_to_stop)
    return service


def _abandon(status: int) -> NoReturn:
    sys.stdout.flush()
    os._exit(status)


def say_who_works(service: FleetService) -> None:
    """Where an order waits until somebody starts a worker, say so, beside the report."""
    if service.nobody_works():
        click.echo("no worker is alive: start one with `orchestrate fleet worker`", err=True)


def agree(order: Order) -> None:
    """Raises `Invalid` where there is nobody to ask, `Refused` after a no."""
    from orchestrator.cli.edge import somebody_is_there
    from orchestrator.errors import Invalid, Problem, Refused

    if not somebody_is_there():
        raise Invalid(Problem("approval-needed", "there is no terminal to ask on", "", "give --auto-approve"))
    click.echo(f"{order.verb}: {', '.join(order.stacks)}")
    if click.prompt("Only `yes` goes on", default="", show_default=False) != "yes":
        raise Refused(Problem("not-approved", "nothing was changed", "", "answer yes, or give --auto-approve"))


@contextmanager
def shown(report: str) -> Iterator[tuple[Callable[[StackResult], None], Picture | None]]:
    """What takes each stack that has ended, and what draws all of them meanwhile (None: it is no terminal)."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet.board import OrderBoard
    from orchestrator.render.console import console_of

    if report != "table":
        yield (lambda _one: None), None
        return
    console = console_of(sys.stdout, colours=colours(sys.stdout))

    def tell(one: StackResult) -> None:
        why = f", {one.why}" if one.why else ""
        console.print(f"{'✗' if one.failed else '✓'} {one.stack}: {one.outcome}{why}", markup=False)
        for line in _printed(one):
            console.print(line, markup=False)
        sys.stdout.flush()

    if not sys.stdout.isatty():
        yield tell, None
        return
    board = OrderBoard(console)
    with board.shown():
        yield tell, board.take


def _printed(one: StackResult) -> Sequence[str]:
    """What a command printed at this stack, where its file is on this machine."""
    file = Path(one.output) if one.output else None
    if file is None or not file.is_file():
        return ()
    return [f"  {line}" for line in file.read_text(encoding="utf-8", errors="replace").splitlines()]


def told(seen: OrderStatus, report: str) -> None:
    """The report, and the exit status."""
    from orchestrator.fleet.report import outcome

    write(seen, report)
    sys.stdout.flush()
    status = outcome(seen).status
    if status:
        raise SystemExit(status)


def write(seen: OrderStatus, form: str) -> None:
    """The report in this form."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render import tables

    if form == "table":
        tables.write(report.table(seen.results), sys.stdout, colours=colours(sys.stdout))
        click.echo(report.summary(seen))
        return
    texts: dict[str, Callable[[OrderStatus], Sequence[str]]] = {
        "json": lambda it: tuple(report.lines(it)),
        "markdown": lambda it: (report.markdown(it),),
        "junit": lambda it: (report.junit(it),),
        "html": lambda it: (report.html(it),),
    }
    for text in texts[form](seen):
        click.echo(text)
