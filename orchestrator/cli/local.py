"""`orchestrate local`: the cloud on this machine. Imports what runs it only when a command needs it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from orchestrator.cli import complete
from orchestrator.cli.extras import require_local
from orchestrator.cli.options import output_option
from orchestrator.cli.shape import CommandGroup
from orchestrator.errors import counted

MOST_TENANTS = 90
"""Of a stack made through the API: a load balancer has 100 rules at most."""


def _faults(_ctx: click.Context, _argument: click.Parameter, typed: str) -> list[str]:
    try:
        from orchestrator.local.faults import catalogue
    except ImportError:  # without the extra there is nothing to complete, and this is no place to say so
        return []
    return [name for name in catalogue() if name.startswith(typed)]


def _which_cloud(command: Callable[..., Any]) -> Callable[..., Any]:
    name = click.option(
        "--name", default="default", show_default=True, help="Name of the cloud; several can run side by side."
    )
    folder = click.option(
        "--dir",
        "directory",
        type=click.Path(path_type=Path, file_okay=False),
        help="The cloud's folder [default: .orchestrate/local/NAME].",
    )
    return name(folder(command))


def _folder(name: str, directory: Path | None) -> Path:
    """What was asked for, else where the cloud of `local env` is, else below this directory."""
    from orchestrator.local.core import state
    from orchestrator.local.endpoint import client

    said = os.environ.get(state.FOLDER_VARIABLE)
    if said and directory is None and name == "default" and client.alive(Path(said)):
        return Path(said)
    return state.folder_of(name, directory)


@click.group(cls=CommandGroup)
def local() -> None:
    """Run AWS on this machine: moto, a real PostgreSQL, bash, DNS and HTTPS."""
    require_local()


@local.command()
@_which_cloud
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01),
    default=20.0,
    show_default=True,
    help="How many times shorter delays are than on AWS.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, help="Port of the AWS endpoint [default: a free one]."
)
@click.option(
    "--region",
    default="us-west-2",
    show_default=True,
    shell_complete=complete.regions,
    help="Region to simulate (us-gov-… and cn-… are other partitions).",
)
@click.option(
    "--enforce-iam", is_flag=True, help="Check every call against IAM policies (access key `local` is the root user)."
)
@click.option(
    "--page",
    type=click.IntRange(min=0),
    help="Maximum number of items per page of a list [default: as many as on AWS].",
)
@click.option(
    "--rates",
    type=click.FloatRange(min=0, min_open=True),
    help="How many times faster AWS's rate limits refill; 1: as on AWS [default: as --speed].",
)
@click.option("--late/--no-late", default=None, help="Let reads miss a change for a while, as on AWS [default: late].")
@click.option("--seed", type=click.IntRange(min=0), help="Seed for how late reads show a change [default: random].")
@click.option(
    "--stack",
    "tenants",
    type=click.IntRange(1, MOST_TENANTS),
    is_flag=False,
    flag_value=2,
    metavar="[TENANTS]",
    help="Also make a stack with this many tenants and bring it to life [default: 2].",
)
@click.option(
    "--terraform", is_flag=True, help="Make the stack with the real Terraform, by `orchestrate apply` (minutes)."
)
def up(name: str, directory: Path | None, tenants: int | None, terraform: bool, **options: Any) -> None:
    """Start the local cloud in the background; with --stack, also a stack on it.

    The stack is what terraform/ makes, made through the API in seconds, brought to life by `run`. Its folder has the
    contract, an orchestrate.toml and the records of runs. `orchestrate local down` removes it with the cloud. With
    --terraform, the folder has Terraform's configuration and state instead of the contract.
    """
    from orchestrator.cli.local_stack import made_by_terraform, made_through_the_api
    from orchestrator.local.core import cloud, state
    from orchestrator.local.endpoint import client

    if terraform and tenants is None:
        raise click.UsageError("--terraform is how --stack makes the stack: give both")

    folder = state.folder_of(name, directory)
    before = client.alive(folder)
    running = client.up(name, folder, **options)
    click.echo(f"The local cloud {name!r} {'was already up' if before else 'is up'}: {running.endpoint}")
    click.echo("What it leaves out:")
    for line in cloud.LEFT_OUT:
        click.echo(f"  - {line}")
    which = f" --name {name}" if name != "default" else ""
    use = f'eval "$(orchestrate local env{which}{f" --dir {shlex.quote(str(directory))}" if directory else ""})"'
    if tenants is None:
        click.echo(f"Use it: {use}")
        return
    make = made_by_terraform if terraform else made_through_the_api
    made = make(folder / "stack", client.ask(running, "env"), tenants)
    variables = "".join(f" && export {key}={shlex.quote(value)}" for key, value in made.variables.items())
    click.echo(f"Use it: {use}{variables} && cd {shlex.quote(os.path.relpath(made.directory))}")
    click.echo("Then: orchestrate status; orchestrate local faults; orchestrate open customer-a")


@local.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path("local-fleet"))
@click.option("--stacks", type=click.IntRange(1, 40), default=3, show_default=True, help="How many stacks to make.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01),
    default=60.0,
    show_default=True,
    help="How many times shorter delays are than on AWS.",
)
@click.option(
    "--postgresql",
    is_flag=True,
    help="Also start a PostgreSQL that keeps the orders, so that several workers can work.",
)
def fleet(*, folder: Path, stacks: int, speed: float, postgresql: bool) -> None:
    """Start a local cloud with several stacks, and list them in FOLDER for `orchestrate fleet`.

    FOLDER defaults to ./local-fleet; the cloud is named `fleet`.
    """
    from orchestrator.local.core import state
    from orchestrator.local.endpoint import client
    from orchestrator.local.stories import three_stacks

    # Who has more stacks than the quotas allow by default (five networks) has had them raised.
    running = client.up("fleet", state.folder_of("fleet", None), speed=speed, quotas=stacks)
    file = three_stacks.make(running, folder, stacks)
    click.echo(f"{file} lists {counted(stacks, 'stack')}: `orchestrate fleet run --fleet {file}` brings them to life")
    if postgresql:
        database = three_stacks.orders_database(running, folder)
        click.echo(f"Several workers: `. {database}`, then `orchestrate fleet worker --fleet {file} &` for each")
    click.echo("`orchestrate local down --name fleet` ends the cloud")


@local.command()
@_which_cloud
def down(name: str, directory: Path | None) -> None:
    """Stop the local cloud and remove everything it made."""
    from orchestrator.local.endpoint import client

    stopped = client.down(_folder(name, directory))
    click.echo(f"The local cloud {name!r} {'is down' if stopped else 'was not up'}.")


@local.command()
@_which_cloud
def status(name: str, directory: Path | None) -> None:
    """Show what is running, which faults are on, and how many AWS calls were answered."""
    from orchestrator.local.endpoint import client

    running = client.require(_folder(name, directory))
    seen = client.ask(running, "status")
    rows = {
        key: seen[key] for key in ("name", "pid", "endpoint", "account", "region", "speed", "resolver", "site_port")
    }
    rows["ca_file"] = running.ca_file
    for key, value in rows.items():
        click.echo(f"{key:<10} {value}")
    for host, address in seen["addresses"].items():
        click.echo(f"{'address':<10} {host} -> {address}")
    for fault in seen["faults"]:
        click.echo(f"{'fault':<10} {fault['fault']} ({fault['tenant'] or 'all'})")
    click.echo(f"{'calls':<10} {sum(seen['calls'].values())}")


@local.command()
@_which_cloud
def env(name: str, directory: Path | None) -> None:
    """Print the exports that aws, terraform, psql and orchestrate need to use the local cloud."""
    from orchestrator.local.endpoint import client

    running = client.require(_folder(name, directory))
    for key, value in client.ask(running, "env").items():
        click.echo(f"export {key}={shlex.quote(value)}")


@local.command()
@_which_cloud
@click.argument("fault_name", metavar="[FAULT]", required=False, default="", shell_complete=_faults)
@click.option(
    "--tenant", default="", shell_complete=complete.tenants, help="Only this tenant is affected [default: all]."
)
@click.option("--clear", is_flag=True, help="End the fault, or every fault if none is named.")
def fault(name: str, directory: Path | None, fault_name: str, tenant: str, clear: bool) -> None:
    """Inject a failure or end it (`orchestrate local faults` lists them)."""
    from orchestrator.local.endpoint import client

    if not (fault_name or clear):
        raise click.UsageError("name a fault, or give --clear")
    running = client.require(_folder(name, directory))
    answer = client.ask(running, "faults", "DELETE" if clear else "POST", name=fault_name, tenant=tenant)
    active = ", ".join(f"{one['fault']} ({one['tenant'] or 'all'})" for one in answer["active"])
    click.echo(f"faults on: {active or 'none'}")


@local.command()
@_which_cloud
@output_option
def faults(name: str, directory: Path | None, output: str) -> None:
    """List the failures that can be injected."""
    from orchestrator.cli.renderers import colours
    from orchestrator.local.endpoint import client
    from orchestrator.render import listing
    from orchestrator.render.document import document, write
    from orchestrator.render.tables import write as write_table

    running = client.require(_folder(name, directory))
    known = client.ask(running, "faults")["known"]
    if output != "table":
        write(document("faults", known), sys.stdout, output)
        return
    write_table(listing.faults(known), sys.stdout, colours=colours(sys.stdout))
