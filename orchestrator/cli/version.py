"""`orchestrate version`."""

from __future__ import annotations

import click

from orchestrator.cli.shape import command


@command()
def version() -> None:
    """Show the versions to name in a bug report."""
    from orchestrator.workflows.version import versions

    known = versions()
    click.echo(f"orchestrate {known['orchestrate']}")
    click.echo(f"contract schema {known['contract']}, event schema {known['events']}")
    click.echo(f"Python {known['python']} on {known['platform']}")
