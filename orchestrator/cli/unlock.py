"""`orchestrate unlock`: free a stack whose run is dead."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import place_options
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.workflows.caller import Question


@command()
@click.option("--force", is_flag=True, help="Don't ask.")
@click.option("--lock-dir", help="Folder of the lock, instead of next to the state.")
@click.option("--lock", metavar="s3://BUCKET/KEY", help="The lock, instead of the one next to the state.")
@place_options
def unlock(lock_dir: str | None, lock: str | None, directory: Path, *, force: bool, as_json: bool) -> None:
    """Show who holds the stack's lock, and release it after a confirmation.

    Rarely needed: when a run is killed, a lock in a file is released at once and one in S3 after a minute. A run that
    is still alive notices before its next change, and stops making changes.
    """
    from orchestrator.cli.edge import stack_of
    from orchestrator.workflows.caller import Caller
    from orchestrator.workflows.unlock import unlock

    def ask(question: Question) -> str | None:
        if as_json or not sys.stdin.isatty():
            return None
        click.echo(question.text)
        return input(question.prompt).strip()

    stack = stack_of({"directory": directory, "lock_dir": lock_dir, "lock": lock})
    done = unlock(stack, force=force, caller=Caller(ask=ask))
    if as_json:
        click.echo(json.dumps({"place": done.place, "holder": done.holder, "freed": done.freed}))
    elif done.freed:
        click.echo(f"{done.place}: released; it was held by {done.holder}")
    else:
        click.echo(f"{done.place}: nobody holds it")
