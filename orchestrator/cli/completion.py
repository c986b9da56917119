"""`orchestrate completion`: what a shell needs to complete commands, options and names."""

from __future__ import annotations

import os
from pathlib import Path

import click

from orchestrator.cli.shape import command

_PROGRAM = "orchestrate"
_PLACES = {
    "bash": ("XDG_DATA_HOME", ".local/share", "bash-completion/completions/orchestrate"),
    "zsh": ("XDG_DATA_HOME", ".local/share", "zsh/site-functions/_orchestrate"),
    "fish": ("XDG_CONFIG_HOME", ".config", "fish/completions/orchestrate.fish"),
}
"""Shell → the variable that moves its folder, that folder below the home, and the file that it reads by itself."""


@command()
@click.argument("shell", type=click.Choice(list(_PLACES)))
@click.option("--install", is_flag=True, help="Install it where the shell looks, instead of printing it.")
def completion(shell: str, *, install: bool) -> None:
    """Print what SHELL needs to complete commands, options, steps, tenants, profiles, faults and codes.

    Tenants come from orchestrate.toml, or else from the last run recorded here.
    """
    text = _source(shell)
    if not install:
        click.echo(text)
        return
    file = _place(shell)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", encoding="utf-8")
    click.echo(f"written: {file}")
    if shell == "zsh":
        click.echo(f"in ~/.zshrc, before compinit: fpath=({file.parent} $fpath)")
    click.echo(f"it works in the next {shell} you start")


def _source(shell: str) -> str:
    from click.shell_completion import get_completion_class

    from orchestrator.cli import orchestrate

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"this version of click has no completion for {shell}")
    return kind(orchestrate, {}, _PROGRAM, f"_{_PROGRAM}_complete".upper()).source()  # the variable that click reads


def _place(shell: str) -> Path:
    variable, below_home, file = _PLACES[shell]
    folder = os.environ.get(variable)
    return (Path(folder) if folder else Path.home() / below_home) / file
