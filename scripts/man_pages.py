"""The manual pages, docs/man: one a command, from what `--help` shows, written by click-man."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import cast

import click
from click_man.man import ManPage

from orchestrator import __version__
from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.cli.shape import OWN, examples_of

SECTION = "1"
SETTINGS = "Settings"
"""The group of options that most commands have: told once, in orchestrate(1)."""


Option = tuple[str, str]
"""Its names, and what is said of it."""
HELP: Option = ("-h, --help", "Show this message and exit.")
"""click's own, of which each command keeps the form in which it was first asked for."""


class _Page(ManPage):  # type: ignore[misc]  # click-man has no types
    """As click-man writes it, with the options in their groups and the examples at the end."""

    def __init__(self, command: str, groups: Mapping[str, Sequence[Option]], examples: Sequence[str]) -> None:
        super().__init__(command)
        self._groups = groups
        self._examples = examples

    def __str__(self) -> str:
        lines = [super().__str__().rstrip("\n")]
        for title, options in self._groups.items():
            lines.append(f".SH {title.upper()}")
            if not options:
                lines.append(r"Those of \fBorchestrate\fP(1), as flags.")
            for names, said in options:
                lines += [".TP", rf"\fB{_text(names)}\fP", _text(said)]
        if self._examples:
            lines += [".SH EXAMPLES", ".nf", *map(_text, self._examples), ".fi"]
        return "\n".join(lines) + "\n"


def pages() -> Mapping[str, str]:
    """File name below docs/man → its content."""
    return dict(_pages())


def _pages() -> Iterator[tuple[str, str]]:
    root = click.Context(orchestrate, info_name="orchestrate")
    group = cast("click.Group", orchestrate)
    settings: Sequence[Option] = ()
    for name in COMMANDS:
        command = cast("click.Command", group.get_command(root, name))
        context = click.Context(command, info_name=name, parent=root)
        parts = getattr(command, "commands", {})
        settings = settings or _groups(context).get(SETTINGS, ())
        yield _page(context, {part.name: part.get_short_help_str(200) for part in parts.values()})
        for part in parts.values():
            yield _page(click.Context(part, info_name=part.name, parent=context), {})
    yield _page(root, COMMANDS, settings)


def _groups(context: click.Context) -> dict[str, Sequence[Option]]:
    groups: dict[str, list[Option]] = {OWN: [HELP]}
    for option in context.command.params:
        if (record := option.get_help_record(context)) is not None:
            groups.setdefault(getattr(option, "section", OWN), []).append(record)
    return {title: options for title, options in groups.items() if options}


def _page(context: click.Context, parts: Mapping[str, str], settings: Sequence[Option] = ()) -> tuple[str, str]:
    path, command = context.command_path, context.command
    groups = _groups(context)
    if settings or SETTINGS in groups:
        groups[SETTINGS] = settings
    said = cleandoc(command.help or "")
    page = _Page(path, groups, examples_of(path.partition(" ")[2]))
    page.version = __version__
    page.date = ""  # the same sources give the same bytes
    page.short_help = _text(said.partition("\n\n")[0].replace("\n", " ").rstrip("."))
    page.description = _text(said)
    page.synopsis = " ".join(command.collect_usage_pieces(context))
    page.commands = [(name, _text(short)) for name, short in parts.items()]
    return f"{path.replace(' ', '-')}.{SECTION}", str(page)


def _text(said: str) -> str:
    """As roff takes it literally."""
    escaped = said.replace("\\", r"\e").replace("-", r"\-")
    return "\n".join(rf"\&{line}" if line[:1] in (".", "'") else line for line in escaped.split("\n"))
