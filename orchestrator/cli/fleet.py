"""`orchestrate fleet`: one command for many stacks. Imports the engine only when a command needs it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from orchestrator.cli import fleet_calendar
from orchestrator.cli.fleet_edge import agree, file_option, report_option, say_who_works, service_of, shown, told, write
from orchestrator.cli.shape import CommandGroup

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
        service = service_of(file)
        with service.leaving():
            engine = service.engine()
            order = service.order(engine, verb, **chosen)
            if verb in _ASKING and not approved:
                agree(order)
            say_who_works(service)
            with shown(report) as (tell, picture):
                seen = service.watch(engine, engine.submit(order), tell, work=True, picture=picture)
        told(seen, report)

    command: Any = carry_out
    for add in (file_option, report_option, *((_approve,) if verb in _ASKING else ()), _order_options):
        command = add(command)
    fleet.command(verb, help=f"{VERBS[verb]}\n\nIf it is interrupted, the same command continues.")(command)


for _name in VERBS:
    _verb(_name)
for _command in (fleet_calendar.schedule, fleet_calendar.watch):
    fleet.add_command(_command)


@fleet.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("local-fleet"))
@click.option(
    "--stacks", "number", type=click.IntRange(1, 40), default=3, show_default=True, help="How many stacks to make."
)
@click.pass_context
def up(ctx: click.Context, folder: Path, number: int) -> None:
    """Start what it takes to try a fleet on this machine: a local cloud with stacks, and a PostgreSQL.

    FOLDER (./local-fleet) gets the fleet.toml, and fleet.env, which says where the PostgreSQL is. Needs the extra
    `local`.
    """
    from orchestrator.cli import local
    from orchestrator.cli.extras import require_local

    require_local()
    ctx.invoke(local.fleet, folder=folder, stacks=number, postgresql=True)


@fleet.command("exec")
@click.argument("arguments", metavar="-- COMMAND…", nargs=-1, required=True, type=click.UNPROCESSED)
@file_option
@report_option
@_order_options
def exec_(*, arguments: tuple[str, ...], report: str, file: Path, **chosen: Any) -> None:
    """Run a command of yours for each stack: in its folder, with its profile or role, and its variables.

    What it prints is kept in the stack's folder, in .orchestrate/exec, on the worker that ran it, and is shown here
    where that is this machine. The command line itself is kept in the fleet's database: put no secret there.
    """
    service = service_of(file)
    with service.leaving():
        engine = service.engine()
        order = service.order(engine, "exec", arguments=arguments, **chosen)
        say_who_works(service)
        with shown(report) as (tell, picture):
            seen = service.watch(engine, engine.submit(order), tell, work=True, picture=picture)
    told(seen, report)


@fleet.command()
@click.argument("verb", type=click.Choice(list(VERBS)))
@_order_options
@_approve
@file_option
def submit(verb: str, *, approved: bool, file: Path, **chosen: Any) -> None:
    """Submit an order without waiting for it; workers carry it out."""
    service = service_of(file)
    engine = service.engine()
    order = service.order(engine, verb, **chosen)
    if verb in _ASKING and not approved:
        agree(order)
    click.echo(engine.submit(order))
    engine.close()


@fleet.command()
@click.option(
    "--allow-exec",
    is_flag=True,
    help="Also run the commands of `fleet exec`: anybody who can write to the database can then run programs here.",
)
@file_option
def worker(*, allow_exec: bool, file: Path) -> None:
    """Carry out orders until stopped. With PostgreSQL, run as many workers as you like, on any machine."""
    from orchestrator.errors import Locked, Problem

    service = service_of(file)
    service.exec_allowed = allow_exec
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
@file_option
def list_(file: Path) -> None:
    """List orders, newest first."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render.tables import write

    engine = service_of(file).engine()
    write(report.orders(engine.orders()), sys.stdout, colours=colours(sys.stdout))
    engine.close()


@fleet.command()
@click.argument("order")
@report_option
@file_option
def show(order: str, *, report: str, file: Path) -> None:
    """Show what became of ORDER so far, stack by stack."""
    engine = service_of(file).engine()
    seen = engine.order(order)
    engine.close()
    write(seen, report)


@fleet.command()
@click.argument("order")
@file_option
def cancel(order: str, file: Path) -> None:
    """Start no further stack of ORDER; stacks in progress are finished."""
    engine = service_of(file).engine()
    engine.cancel(order)
    engine.close()
    click.echo(f"cancelled: {order}")


@fleet.command()
@click.argument("order")
@report_option
@file_option
def retry(order: str, *, report: str, file: Path) -> None:
    """Repeat ORDER for the stacks that failed or were not started."""
    service = service_of(file)
    with service.leaving():
        engine = service.engine()
        again = service.again(engine.order(order))
        say_who_works(service)
        with shown(report) as (tell, picture):
            seen = service.watch(engine, engine.submit(again), tell, work=True, picture=picture)
    told(seen, report)


@fleet.command()
@file_option
def policy(file: Path) -> None:
    """Print the smallest IAM policy of a worker: to assume the stacks' roles, and to list the S3 prefixes.

    `orchestrate policy` prints what a stack's role needs. This is computed from the file, without asking AWS.
    """
    from orchestrator.fleet import permissions
    from orchestrator.fleet.file import reached

    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    made = permissions.needed(*reached(file), region)
    click.echo(json.dumps(made.as_json(), indent=2))
    for note in permissions.remarks(made):
        click.echo(f"note: {note}", err=True)


@fleet.command()
@file_option
def stacks(file: Path) -> None:
    """List the stacks of the fleet: where each is, and its labels."""
    from orchestrator.cli.renderers import colours
    from orchestrator.fleet import report
    from orchestrator.render.tables import write

    write(report.stacks(service_of(file).fleet.stacks), sys.stdout, colours=colours(sys.stdout))
