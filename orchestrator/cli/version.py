"""`orchestrate version`."""

from __future__ import annotations

import platform

import click

from orchestrator import __version__


@click.command()
def version() -> None:
    """Show the versions that matter."""
    from orchestrator.contract import SCHEMA as CONTRACT
    from orchestrator.events import SCHEMA as EVENTS

    click.echo(f"orchestrate {__version__}")
    click.echo(f"contract schema {CONTRACT}, event schema {EVENTS}")
    click.echo(f"Python {platform.python_version()} on {platform.system()} {platform.machine()}")
