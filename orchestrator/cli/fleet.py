"""`orchestrate fleet`: one command for many stacks. Imports the engine only when a command needs it."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from orchestrator.cli.shape import CommandGroup

if TYPE_CHECKING:
    from orchestrator.fleet.engine import OrderStatus
    from orchestrator.fleet.orders import Order, StackResult
    from orchestrator.fleet.service import FleetService

FORMS = ("table", "json", "markdown", "junit")
VERBS = {
    "run": "Bring the stacks to life: `orchestrate run` in each.",
    "plan": "Show which stacks have work to do: `orchestrate plan` in each.",
    "status": "Show which stacks are up: `orchestrate status` in each.",
    "doctor": "Find what is wrong with the stacks: `orchestrate doctor` in each.",
    "pause": "Stop what is billed by the hour: `orchestrate pause` in each.",
    "resume": "Bring paused stacks back: `orchestrate resume` in each.",
    "backup": "Back up the stacks: `orchestrate backup` in each.",
}
_ASKING = frozenset({"pause"})
"""What `orchestrate` asks about at one stack; the fleet asks once for all."""
_file = click.option(
    "--fleet",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("fleet.toml"),
    show_default=True,
    help="File that lists the stacks; without one, every folder below here that has an orchestrate.toml.",
)
_report = click.option(
    "--report",
    type=click.Choice(FORMS),
    default="table",
    show_default=True,
    help="Format of the final report.",
)
_approve = click.option("-auto-approve", "--auto-approve", "approved", is_flag=True, help="Don't ask.")
_ORDER = (
    click.option("--stack", "names", multiple=True, metavar="NAME", help="Only this stack (repeatable)."),
    click.option(
        "--label", "labels", multiple=True, metavar="NAME=VALUE", help="Only stacks with this label (repeatable)."
    ),
    click.option("--failed", is_flag=True, help="Only stacks that failed or were not started in the last such order."),
    click.option(
        "--wave",
        "sizes",
        default="",
        metavar="SIZES",
        help="Number of stacks in each wave: 1,10%,rest [default: all at once].",
    ),
    click.option(
        "--stop-after-failures",
        "stop_after",
        type=click.IntRange(min=1),
        metavar="N",
        help="Start no further wave once this many stacks have failed.",
    ),
)


def _order_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for add in reversed(_ORDER):
        function = add(function)
    return function


@click.group(cls=CommandGroup)
def fleet() -> None:
    """Run a command on many stacks, in waves. An interrupted order resumes, and each stack is processed once.

    Needs the `fleet` extra.
    """


def _verb(verb: str) -> None:
    """Make the command of a verb."""

    def carry_out(*, report: str, file: Path, approved: bool = False, **chosen: Any) -> None:
        service = _service(file)
        with service.leaving():
            engine = service.engine()
            order = service.order(engine, verb, **chosen)
            if verb in _ASKING and not approved:
                _agree(order)
            seen = service.watch(engine, engine.submit(order), _line(report), work=True)
        _told(seen, report)

    command: Any = carry_out
    for add in (_file, _report, *((_approve,) if verb in _ASKING else ()), _order_options):
        command = add(command)
    fleet.command(verb, help=f"{VERBS[verb]}\n\nIf it is interrupted, the same command continues.")(command)


for _name in VERBS:
    _verb(_name)


@fleet.command()
@click.argument("verb", type=click.Choice(list(VERBS)))
@_order_options
@_approve
@_file
def submit(verb: str, *, approved: bool, file: Path, **chosen: Any) -> None:
    """Submit an order without waiting for it; workers carry it out."""
    service = _service(file)
    engine = service.engine()
    order = service.order(engine, verb, **chosen)
    if verb in _ASKING and not approved:
        _agree(order)
    click.echo(engine.submit(order))
    engine.close()


@fleet.command()
@_file
def worker(file: Path) -> None:
    """Carry out orders until stopped. With PostgreSQL, run as many workers as you like, on any machine."""
    from orchestrator.errors import Locked, Problem

    service = _service(file)
    with service.leaving():
        if not service.begin():
            fix = "with SQLite one worker is enough; for several, set `database` in fleet.toml to a PostgreSQL server"
            raise Locked(
                Problem(
                    "fleet-has-worker", "another process on this machine is already this fleet's worker", str(file), fix
                )
            )
        click.echo(f"working as {service.worker_name}")
        sys.stdout.flush()
        service.serve()


@fleet.command("list")
@_file
def list_(file: Path) -> None:
    """List orders, newest first."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render.tables import write

    engine = _service(file).engine()
    write(report.orders(engine.orders()), sys.stdout, colours=colours(sys.stdout))
    engine.close()


@fleet.command()
@click.argument("order")
@_report
@_file
def show(order: str, *, report: str, file: Path) -> None:
    """Show what became of ORDER so far, stack by stack."""
    engine = _service(file).engine()
    seen = engine.order(order)
    engine.close()
    _write(seen, report)


@fleet.command()
@click.argument("order")
@_file
def cancel(order: str, file: Path) -> None:
    """Start no further stack of ORDER; stacks in progress are finished."""
    engine = _service(file).engine()
    engine.cancel(order)
    engine.close()
    click.echo(f"cancelled: {order}")


@fleet.command()
@click.argument("order")
@_report
@_file
def retry(order: str, *, report: str, file: Path) -> None:
    """Repeat ORDER for the stacks that failed or were not started."""
    service = _service(file)
    with service.leaving():
        engine = service.engine()
        again = service.again(engine.order(order))
        seen = service.watch(engine, engine.submit(again), _line(report), work=True)
    _told(seen, report)


@fleet.command()
@_file
def stacks(file: Path) -> None:
    """List the stacks of the fleet: where each is, and its labels."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render.tables import write

    write(report.stacks(_service(file).fleet.stacks), sys.stdout, colours=colours(sys.stdout))


def _service(file: Path) -> FleetService:
    """The fleet of this file, as this process sees it; signals ask it to stop."""
    from orchestrator.cli.edge import listen
    from orchestrator.fleet.file import read
    from orchestrator.fleet.service import FleetService

    environment = dict(os.environ)
    service = FleetService(read(file, environment), environment, socket.gethostname(), os.getpid(), _abandon)
    listen(service.ask_to_stop)
    return service


def _abandon(status: int) -> NoReturn:
    sys.stdout.flush()
    os._exit(status)


def _agree(order: Order) -> None:
    """Raises `Invalid` where there is nobody to ask, `Refused` after a no."""
    from orchestrator.cli.edge import somebody_is_there
    from orchestrator.errors import Invalid, Problem, Refused

    if not somebody_is_there():
        raise Invalid(Problem("approval-needed", "there is no terminal to ask on", "", "give --auto-approve"))
    click.echo(f"{order.verb}: {', '.join(order.stacks)}")
    if click.prompt("Only `yes` goes on", default="", show_default=False) != "yes":
        raise Refused(Problem("not-approved", "nothing was changed", "", "answer yes, or give --auto-approve"))


def _line(report: str) -> Callable[[StackResult], None]:
    """Says that a stack has ended, while others go on; a program reads the report alone."""

    def tell(one: StackResult) -> None:
        if report == "table":
            click.echo(f"{'✗' if one.failed else '✓'} {one.stack}: {one.outcome}{f', {one.why}' if one.why else ''}")
            sys.stdout.flush()

    return tell


def _told(seen: OrderStatus, report: str) -> None:
    """The report, and the exit status."""
    from orchestrator.fleet.report import outcome

    _write(seen, report)
    sys.stdout.flush()
    status = outcome(seen).status
    if status:
        raise SystemExit(status)


def _write(seen: OrderStatus, form: str) -> None:
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render.tables import write

    if form == "table":
        write(report.table(seen.results), sys.stdout, colours=colours(sys.stdout))
        click.echo(report.summary(seen))
        return
    texts: dict[str, Callable[[OrderStatus], Sequence[str]]] = {
        "json": lambda it: tuple(report.lines(it)),
        "markdown": lambda it: (report.markdown(it),),
        "junit": lambda it: (report.junit(it),),
    }
    for text in texts[form](seen):
        click.echo(text)
