"""`orchestrate unlock`: free a stack whose run is dead."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import place_options

if TYPE_CHECKING:
    from orchestrator.engine.lock import Lock
    from orchestrator.settings import Settings


@click.command()
@click.option("--force", is_flag=True, help="Don't ask.")
@click.option("--lock-dir", help="Folder of the lock, instead of beside the state.")
@click.option("--lock", metavar="s3://BUCKET/KEY", help="The lock, instead of beside the state.")
@place_options
def unlock(lock_dir: str | None, lock: str | None, directory: Path, *, force: bool, as_json: bool) -> None:
    """Show who holds the stack's lock, and free it after a confirmation.

    Seldom needed: a run that was killed holds no lock in a file any more, and one in S3 for a minute. A run that is
    alive notices before its next change, and makes none.
    """
    from orchestrator.lock_places import lock_of
    from orchestrator.settings import Settings

    settings = Settings({"lock_dir": lock_dir, "lock": lock}, os.environ, directory)
    named = settings["lock-dir"], settings["lock"]
    place = lock_of(directory, os.environ, named[0], lock=named[1], access=lambda: _access(settings))
    _freed(place, force=force, as_json=as_json)


def _access(settings: Settings) -> Any:
    from orchestrator.aws.access import Access

    chosen = settings.all()["profile"]
    return Access(chosen.value, chosen.source)


def _freed(lock: Lock, *, force: bool, as_json: bool) -> None:
    from orchestrator.errors import Invalid, Problem, Refused

    holder = lock.holder()
    if holder is None:
        _say(as_json, lock.place, "", freed=False)
        return
    if not force:
        if as_json or not sys.stdin.isatty():
            raise Invalid(
                Problem("approval-needed", f"the lock is held: {holder}", lock.place, "add --force if that run is dead")
            )
        click.echo(f"{lock.place} is held: {holder}")
        click.echo("Free it? If that run is alive, it will make no further change. Only 'yes' is accepted.")
        if input("  Enter a value: ").strip() != "yes":
            raise Refused(Problem("not-approved", "not approved; nothing was changed"))
    if lock.holder() != holder:
        fix = "check again who holds it: the same command shows it"
        raise Refused(
            Problem("lock-changed", "it belongs to somebody else by now; nothing was changed", lock.place, fix)
        )
    lock.break_open()
    _say(as_json, lock.place, str(holder), freed=True)


def _say(as_json: bool, place: str, holder: str, *, freed: bool) -> None:
    if as_json:
        click.echo(json.dumps({"place": place, "holder": holder, "freed": freed}))
    else:
        click.echo(f"{place}: freed; it was held: {holder}" if freed else f"{place}: nobody holds it")
