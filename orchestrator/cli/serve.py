"""`orchestrate serve`: the pages of one stack, or of a fleet, live on this machine."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import contract_option, directory_option, settings_options
from orchestrator.cli.shape import command, option

if TYPE_CHECKING:
    from orchestrator.workflows.caller import StackRef


@command()
@option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1 [default: a free one].")
@option("--every", default="1m", show_default=True, metavar="DURATION", help="How long to wait between two looks.")
@option(
    "--fleet",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Serve every stack of this fleet.toml, instead of the one here.",
)
@contract_option
@directory_option
@settings_options
def serve(port: int, every: str, file: Path | None, **given: Any) -> None:
    """Show the pages of `status` and of the last run in a browser, kept up to date, until Ctrl-C.

    Only this machine can read them, at an address with a token in it; nothing can be changed through them, and they
    hold no secret. Needs the extra `web`.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.cli.extras import require_web
    from orchestrator.errors import Invalid, Problem
    from orchestrator.settings import SETTINGS

    try:
        seconds = SETTINGS["timeout"].form.read(every)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--every") from None
    require_web()
    from orchestrator.web.board import LiveBoard
    from orchestrator.web.server import serve as serve_pages

    stacks = _of_fleet(file) if file else {"stack": stack_of(given)}
    with tempfile.TemporaryDirectory(prefix="orchestrate-") as folder:
        board = LiveBoard(stacks, Path(folder), seconds, lambda: datetime.now(UTC))
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            serve_pages(board, port, _say)
        except KeyboardInterrupt:  # what ends it
            return
        except OSError as error:
            message = f"port {port}: {error.strerror or error}"
            raise Invalid(Problem("port-taken", message, "--port", "name another port, or none")) from None


def _of_fleet(file: Path) -> Mapping[str, StackRef]:
    from orchestrator.fleet.file import read
    from orchestrator.fleet.work import reference

    return {stack.name: reference(stack, os.environ) for stack in read(file, os.environ).stacks}


def _say(address: str) -> None:
    click.echo(address)
    sys.stdout.flush()
    if sys.stdout.isatty():
        click.launch(address)
        click.echo("Ctrl-C ends it", err=True)
