"""`orchestrate config`: each setting, and where it came from."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import output_option, place_options, settings_options
from orchestrator.cli.shape import command

if TYPE_CHECKING:
    from orchestrator.settings import Setting


@command()
@output_option
@place_options
@settings_options
def config(directory: Path, *, as_json: bool, output: str, **given: Any) -> None:
    """Show each setting, its value, and where it came from: flag > environment > orchestrate.toml > default."""
    from orchestrator.settings import SETTINGS, Settings

    flags = {name: value for name, value in given.items() if value not in (None, ())}
    chosen = Settings(flags, os.environ, directory).all()
    rows = [
        {"setting": name, "value": _plain(one.value, SETTINGS[name]), "source": one.source}
        for name, one in chosen.items()
    ]
    if output != "table":
        from orchestrator.render.document import document
        from orchestrator.render.document import write as write_document

        write_document(document("config", rows), sys.stdout, output)
        return
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
        return
    from rich.text import Text

    from orchestrator.cli.renderers import colours
    from orchestrator.render.tables import Sheet, write

    shown = Sheet("setting", "value", "from")
    for name, one in chosen.items():
        source = Text(one.source, style="dim" if one.source == "default" else "")
        shown.add(name, SETTINGS[name].written(one.value), source)
    write(shown, sys.stdout, colours=colours(sys.stdout))


def _plain(value: Any, setting: Setting) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple):
        return setting.written(value)
    return str(value) if isinstance(value, Path) else value
