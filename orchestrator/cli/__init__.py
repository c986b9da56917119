"""The command line. Each command is imported when it is called, so that `--help` costs what click costs."""

from __future__ import annotations

import importlib
import os
import sys

import click

from orchestrator import __version__
from orchestrator.cli.shape import CommandGroup

COMMANDS = {
    "apply": "Apply Terraform, then bring the stack to life.",
    "plan": "Show what apply would do, changing nothing.",
    "preflight": "Check the plan and the running stack against the guide's checklists.",
    "run": "Bring a stack that Terraform has applied to life: run only the steps.",
    "dns": "Plan, apply, check or undo only the hostnames' DNS records.",
    "backup": "Back up database, files, index and settings; list, verify or prune backups.",
    "destroy": "Back up the stack, verify the backup, then destroy the stack.",
    "restore": "Recreate the stack from a backup, and prove that its data is back.",
    "certificate": "Publish the certificate's validation records and wait until it is issued.",
    "status": "Show what each step sees now, and one table of all parts.",
    "doctor": "Find what is wrong, why, and how to fix it.",
    "explain": "Explain the code at the end of a message, and what to do.",
    "logs": "Show the logs of all tenants as one stream, or those of a search index.",
    "tasks": "Show the running tasks and those that stopped recently.",
    "shell": "Open a shell on a search index's instance or on the runner.",
    "serve": "Show a stack's pages in the browser, live: a wall screen.",
    "open": "Open a tenant's site in the browser.",
    "history": "Show the runs recorded here, and what each one did.",
    "pause": "Stop what is billed by the hour, and keep the data.",
    "resume": "Bring a paused stack back as it was.",
    "redeploy": "Force a new deployment of a tenant's service, and wait for it.",
    "migrate": "Migrate tenants' schemas by one task each, then roll out.",
    "upgrade": "Bring tenants to another version of Onyx, station by station.",
    "continue": "Continue a deployment that waits at a pause hook.",
    "lock": "Show where the stack's lock is, and who holds it.",
    "fleet": "Run a command on many stacks, in waves.",
    "schedule": "Do something at the same times of each week: pause at night, say.",
    "unlock": "Release the lock of a run that has died.",
    "init": "Read an existing stack and write orchestrate.toml.",
    "contract": "Show what is known about the stack, and where each value came from.",
    "policy": "Print the smallest IAM policy for each command.",
    "completion": "Complete commands, options and names in your shell.",
    "config": "Show each setting and where it came from.",
    "demo": "Run the whole story on a local cloud.",
    "local": "Run AWS on this machine: moto, a real PostgreSQL, bash, DNS and HTTPS.",
    "version": "Show the versions to name in a bug report.",
}
"""Every command and its line in --help. The module and the function bear the command's name (`_NAMES`)."""
_NAMES = {"continue": "continue_"}
"""Where that is a word of Python's own."""


class _Lazy(CommandGroup):
    """Knows the commands' names and short helps; imports a command's module when it is invoked."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        name = _NAMES.get(cmd_name, cmd_name)
        command: click.Command = getattr(importlib.import_module(f"orchestrator.cli.{name}"), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(
    cls=_Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="orchestrate")
@click.pass_context
def orchestrate(ctx: click.Context) -> None:
    """Bring an Onyx stack on AWS to life after Terraform.

    Exit status: 0 succeeded, 1 failed, 2 invalid, 3 refused, 4 timed out, 5 locked, 6 pending (plan, status),
    7 expired, 130 interrupted.
    """
    if ctx.invoked_subcommand is None:
        _say_where()


def _say_where() -> None:
    """Where one is and what to do, read from local files alone."""
    from pathlib import Path

    from orchestrator.workflows.caller import StackRef
    from orchestrator.workflows.overview import overview

    seen = overview(StackRef(Path(), dict(os.environ)))
    lock = f"{seen.lock}: {seen.holder or 'not held, as far as is known'}" if seen.lock else "unknown"
    rows = {
        "directory": f"{seen.directory}{'' if seen.configured else ' (no Terraform configuration here)'}",
        "stack": seen.stack or "not known yet",
        "lock": lock,
        "last run": seen.last or "none recorded here",
        "next": f"{seen.advice}; `orchestrate --help` lists the commands",
    }
    for name, said in rows.items():
        click.echo(f"{name:<10} {said}")


def main(argv: list[str] | None = None) -> None:
    """Run the command line; the entry point. An `OrchestratorError` that no command reported is shown here."""
    from orchestrator.errors import OrchestratorError

    _open_streams()
    try:
        _require_directory()
        orchestrate.main(args=argv, prog_name="orchestrate")
    except OrchestratorError as error:
        for problem in error.problems:
            click.echo(f"orchestrate: {problem}", err=True)
        sys.exit(error.outcome.status)
    except OSError as error:
        from orchestrator.cli.standard_output import silence

        # Mostly the output: a full disk, or a reader that has gone (`| head`), which is no news.
        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            click.echo(f"orchestrate: {error}", err=True)
        sys.exit(1)


def _open_streams() -> None:
    """One that was closed before we began leads nowhere: the next file we open must not take its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(opened, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115


def _require_directory() -> None:
    """Raises `Invalid` when the directory we were called in is gone."""
    from orchestrator.errors import Invalid, Problem

    try:
        os.getcwd()  # noqa: PTH109 - pathlib costs more than --help may
    except OSError as error:
        fix = "change to an existing directory and run the command again"
        problem = Problem("directory-missing", f"the working directory: {error.strerror}", "", fix)
        raise Invalid(problem) from None
