"""The shape of every command: its options in groups, examples below them, and what was probably meant by a typo."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import click

from orchestrator.cli.examples import EXAMPLES
from orchestrator.errors import meant

OWN = "Options"
"""The group of the options that only this command has."""


class GroupedOption(click.Option):
    """One that stands in a group of its command's help."""

    def __init__(self, *args: Any, section: str = OWN, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self.section = section


class GroupedCommand(click.Command):
    """A command whose help shows its options by group, and its examples."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does; an unknown option is answered with the nearest one alone."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = {name.lstrip("-"): name for option in self.params for name in option.opts}
            near = meant(error.option_name.lstrip("-"), known)
            raise _unknown("option", error.option_name, known.get(near, ""), ctx) from None

    def invoke(self, ctx: click.Context) -> Any:
        """As click does; then what one would type next, to somebody at a terminal."""
        result = super().invoke(ctx)
        _say_next(ctx)
        return result

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own first, then the groups as they are declared; `--help` is at home among the own."""
        groups: dict[str, list[tuple[str, str]]] = {OWN: []}
        for option in self.get_params(ctx):
            if (record := option.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(option, "section", OWN), []).append(record)
        for section, records in groups.items():
            if records:
                with formatter.section(section):
                    formatter.write_dl(records)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What one would type."""
        write_examples(ctx, formatter)


class CommandGroup(click.Group):
    """A group of such commands."""

    command_class = GroupedCommand

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown command is answered with the nearest one."""
        name = args[0]
        if not name.startswith("-") and not ctx.resilient_parsing and self.get_command(ctx, name) is None:
            raise _unknown("command", name, meant(name, self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """What one would type."""
        write_examples(ctx, formatter)


def command() -> Callable[[Callable[..., Any]], GroupedCommand]:
    """As `click.command`."""
    return click.command(cls=GroupedCommand)


def option(*declarations: str, section: str = OWN, **rest: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `click.option`, in a group of the help."""
    return click.option(*declarations, cls=GroupedOption, section=section, **rest)


def examples_of(path: str) -> tuple[str, ...]:
    """The command lines below the help of `orchestrate PATH`."""
    return EXAMPLES.get(path, ())


def write_examples(ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """One a line, never folded: each is there to be copied."""
    lines = examples_of(ctx.command_path.partition(" ")[2])
    if lines:
        with formatter.section("Examples"):
            for line in lines:
                formatter.write(f"{' ' * formatter.current_indent}{line}\n")


def _say_next(ctx: click.Context) -> None:
    """On standard error, for the output may be a script. A command that tells how it ended never comes back here."""
    from orchestrator.render.endings import AFTERWARDS

    path = ctx.command_path.partition(" ")[2]
    for_programs = ctx.params.get("as_json") or ctx.params.get("output", "table") != "table"
    if path in AFTERWARDS and not for_programs and sys.stdout.isatty() and sys.stderr.isatty():
        click.echo(f"next: {AFTERWARDS[path]}", err=True)


def _unknown(what: str, name: str, near: str, ctx: click.Context) -> click.UsageError:
    return click.UsageError(f"There is no {what} {name}." + (f" Did you mean {near}?" if near else ""), ctx)
