"""`orchestrate config`: each setting, and where it came from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from orchestrator.cli.options import place_options, settings_options


@click.command()
@place_options
@settings_options
def config(directory: Path, *, as_json: bool, **given: Any) -> None:
    """Show each setting, its value, and where it came from: flag > environment > orchestrate.toml > default."""
    from orchestrator.settings import Settings

    flags = {name: value for name, value in given.items() if value is not None}
    chosen = Settings(flags, os.environ, directory).all()
    if as_json:
        for name, one in chosen.items():
            click.echo(json.dumps({"setting": name, "value": _plain(one.value), "source": one.source}))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, one in chosen.items():
        value = "" if one.value is None else _words(one.value)
        shown.add_row(name, Text(value), Text(one.source, style="dim" if one.source == "default" else ""))
    Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 200).print(shown)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return _words(value)
    return str(value) if isinstance(value, Path) else value


def _words(value: Any) -> str:
    """As it would be written as a flag."""
    if isinstance(value, Mapping):
        return ",".join(f"{name}={seconds:g}" for name, seconds in value.items())
    if isinstance(value, tuple):
        return ":".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
