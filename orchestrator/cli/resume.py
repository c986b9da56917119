"""`orchestrate resume`: what a pause stopped starts again, in the order in which one needs the other."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, place_options, settings_options

if TYPE_CHECKING:
    from orchestrator.cli.conduct import Conductor
    from orchestrator.errors import Outcome


@click.command()
@contract_option
@click.option("--tenant", "tenants", multiple=True, metavar="NAME", help="Only this tenant (repeatable).")
@place_options
@settings_options
def resume(contract: str | None, **given: Any) -> None:
    """Bring a paused stack back: database server, instances, Vespa, services with the tasks they had, DNS, sites.

    The steps of `orchestrate run`, with those in between that start what was stopped. Interrupted, it goes on where it
    was; on a stack that isn't paused it changes nothing that `run` wouldn't. With --tenant, what all tenants share and
    this one's are started.
    """
    from orchestrator.cli.conduct import conduct

    def work(conductor: Conductor) -> Outcome:
        from orchestrator import app
        from orchestrator.cli.origin import user
        from orchestrator.cli.run import bring_to_life

        kind = partial(app.Resuming, who=(user(), socket.gethostname()))
        with conductor.exclusive():
            return bring_to_life(conductor, contract, kind)

    options = Options.of({"only": (), "skip": (), "adopt": False, **given, "allow_zero": True})
    conduct("resume", options, work, recorded=True)
