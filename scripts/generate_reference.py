"""Writes docs/reference from the code (contract, events, steps, settings, commands, …), and docs/man.

`python scripts/generate_reference.py` writes the pages; `pages()` gives them, for the test that compares.
The problems are read from the source (`ast`), everything else from the imported package.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import cast, get_args

import checks_reference
import click
import contract_reference
import laws_reference
import lifecycle_reference
import man_pages
import permissions_reference
import preflight_reference
import proven_reference
from problem_codes import Source, problems

from orchestrator import events, settings, steps
from orchestrator.app import notifying
from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.engine.graph import AnyStep
from orchestrator.errors import Outcome
from orchestrator.lifecycle import catalogue, pause, resume
from orchestrator.notices.table import NoticeSettings
from orchestrator.render import document, notice

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
MANUAL = ROOT / "docs" / "man"
GENERATED = "<!-- Written by scripts/generate_reference.py: change the code, not this page. -->\n"

_SETTINGS = {name.replace("-", "_") for name in settings.SETTINGS}
"""As click names their flags."""
EVENT_FIELDS = {
    "step": "the step's id (`terraform` and the command's name occur too); empty for the run",
    "subject": "the tenant; empty for what the whole stack shares",
    "detail": "for people; its wording is not stable",
    "changed": "how many changes were made",
}

TYPES = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "tuple[str, ...]": "list of texts",
    "tuple[ContainerObserved, ...]": "list of objects",
}
"""The type of an event's field → what it is in JSON, in words."""


def pages() -> Mapping[str, str]:
    """File name below docs/reference → its content."""
    return {
        "contract.schema.json": json.dumps(contract_reference.schema(), indent=2) + "\n",
        "orchestrate.toml.schema.json": json.dumps(settings.schema(), indent=2) + "\n",
        "contract.md": _page("The contract, schema 1", contract_reference.lines()),
        "events.md": _page("Events (`--json`)", _events()),
        "output.md": _page("Lists (`--output json|yaml`)", _output()),
        "exit-status.md": _page("Exit status", _exit_status()),
        "steps.md": _page("Steps", _steps()),
        "settings.md": _page("Settings", _settings()),
        "cli.md": _page("Commands", _cli()),
        "terraform-versions.md": _page("Terraform: what is proven", proven_reference.lines()),
        "problems.md": _page("Problems", _problems()),
        "checks.md": _page("Checks", checks_reference.lines()),
        "preflight.md": _page("Preflight: the checklists", preflight_reference.lines()),
        "consequences.md": _page("Consequences of a plan", preflight_reference.consequences_lines()),
        "lifecycle.md": _page("What survives: pause, destroy, restore", lifecycle_reference.lines()),
        "laws.md": _page("The laws of AWS in the local cloud", laws_reference.lines()),
        "permissions.md": _page("Permissions", permissions_reference.lines()),
    }


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")
        print(f"docs/reference/{name}")
    for name, text in man_pages.pages().items():
        (MANUAL / name).write_text(text, encoding="utf-8")
    print("docs/man")


def _page(title: str, lines: Iterable[str]) -> str:
    return "\n".join((GENERATED, f"# {title}", "", *lines)).rstrip() + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(_cell(value) for value in row)} |"
    yield ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split())


# events, exit status, steps, settings


def _events() -> Iterator[str]:
    yield "With `--json` every line on standard output is one JSON object, and there is nothing else. The last one is"
    yield f"`run-finished`. Every object has `schema` ({events.SCHEMA}), `time` (UTC, ISO 8601), `event`, and:"
    yield ""
    kinds = get_args(events.Event)
    common = [name for name in (field.name for field in fields(kinds[0])) if name in EVENT_FIELDS]
    yield from _table(("Field", "What it says"), ((f"`{name}`", EVENT_FIELDS[name]) for name in common))
    for kind in kinds:
        yield f"## `{kind.name}`"
        yield ""
        yield _sentence(kind.__doc__)
        yield ""
        own = [field for field in fields(kind) if field.name not in common]
        if own:
            rows = ((f"`{field.name}`", TYPES[str(field.type)], f"`{json.dumps(field.default)}`") for field in own)
            yield from _table(("Also", "Type", "Default"), rows)
    yield "New fields and events may come with the same `schema`; existing ones keep their meaning."


def _output() -> Iterator[str]:
    yield "Commands that list something have `--output table|json|yaml`. JSON and YAML are one document with the same"
    yield f"structure, complete when the command ends: `schema` ({document.SCHEMA}), `kind`, and `items`, a list. That"
    yield "of `orchestrate history RUN` is of the kind `events`: its items are [events](events.md), as recorded."
    yield ""
    for kind, keys in document.KINDS.items():
        yield f"## `{kind}`"
        yield ""
        yield from _table(("Of each item", "What it says"), ((f"`{name}`", what) for name, what in keys.items()))
        more = document.MORE.get(kind, {})
        if more:
            yield from _table(("Beside `items`", "What it says"), ((f"`{name}`", what) for name, what in more.items()))
    yield "New keys may come with the same `schema`; existing ones keep their meaning. The exit status is the table's."


def _exit_status() -> Iterator[str]:
    yield "One table for every command; `outcome` is the word in `run-finished`."
    yield ""
    yield from _table(("Status", "Outcome", "Meaning"), ((str(one.status), one.word, one.meaning) for one in Outcome))
    yield "When several things went wrong, the first of these that occurred: interrupted, expired, invalid,"
    yield "locked, failed, refused, timed-out."
    yield "A wrong command line is reported by click, also with status 2."


def _steps() -> Iterator[str]:
    yield "Each is observe → decide → apply → observe; steps that don't depend on each other run at the same time."
    yield "When a step fails for a tenant, later steps leave that tenant out; the others continue."
    yield ""
    yield from _steps_of(steps.discover())
    yield "`--step-timeouts STEP=SECONDS,…` changes a timeout, `--timeout` limits the whole run, `--poll` is the"
    yield "longest pause between two observations. `--only` and `--skip` choose steps; what a left-out step"
    yield "would do counts as done."
    yield ""
    yield "## `orchestrate pause`"
    yield ""
    yield "With `--tenant` only the first; with `--keep-paused` only `database-stopped`."
    yield ""
    yield from _steps_of(pause.steps(whole=True))
    yield "## `orchestrate resume`"
    yield ""
    yield "The steps above, and in between those that start what was stopped."
    yield ""
    yield from _steps_of(resume.steps(steps.discover()))
    yield "## `orchestrate backup`, `destroy`, `restore`"
    yield ""
    yield "Services are stopped by `services-at-zero` and come back by `services-started` and `pause-forgotten`, as for"
    yield "a pause; after a restore the steps of a resume follow. Besides those and the workflow's own, there are:"
    yield ""
    yield from _steps_of(catalogue.own())


def _steps_of(shown: Iterable[AnyStep]) -> Iterator[str]:
    rows = (
        (
            f"`{one.id}`",
            one.title + (" (on request)" if one.on_request else ""),
            ", ".join(f"`{need}`" for need in one.needs),
            f"{one.timeout:g} s",
            f"{one.poll:g} s",
        )
        for one in shown
    )
    yield from _table(("Step", "What is true afterwards", "Needs", "Timeout", "Looks every"), rows)


def _settings() -> Iterator[str]:
    yield f"The first one given wins: the flag, the environment variable, the key in `{settings.FILE}` in"
    yield "Terraform's directory (`--chdir`), the default. An invalid value is an error, not a reason"
    yield "to take the next."
    yield ""
    rows = (
        (f"`--{one.name}`", f"`{one.variable}`", f"`{one.name}`", one.help, _shown(one))
        for one in settings.SETTINGS.values()
    )
    yield from _table(("Flag", "Variable", "Key", "What it is", "Default"), rows)
    yield "## `[notify]`"
    yield ""
    yield "Who is notified when a command that may change something has ended, in `orchestrate.toml`. An address or a"
    yield "key may be in a variable, `env:NAME`; a key must be. A notice that can't be delivered is a finding, and"
    yield "doesn't fail the run."
    yield ""
    told = NoticeSettings.model_fields
    rows = ((f"`{one.alias or name}`", one.description or "") for name, one in told.items())
    yield from _table(("Key", "What it is"), rows)
    yield "The webhook and the command get one JSON object: `schema` (1), `event` (`run-ended`), `run`, `command`,"
    yield "`stack`, `outcome`, `changed`, `seconds`, `user`, `host`, `failures`"
    yield f"(at most {notice.MOST}, each with `step`, `tenant`, `code`, `detail`, `fix`), `failures_total` and `next`."
    yield "With `webhook-key` the header"
    yield f"`{notifying.SIGNATURE_HEADER}` is `sha256=` and the hexadecimal HMAC-SHA256 of `TIME.BODY`, where `TIME` is"
    yield f"`{notifying.TIME_HEADER}` (seconds since 1970). Nothing is sent twice, and no redirect is followed."
    yield ""
    yield "## Variables"
    yield ""
    yield "Variables that are not settings:"
    yield ""
    yield from _table(("Variable", "What it is"), ((f"`{name}`", what) for name, what in settings.VARIABLES.items()))
    yield "A variable `ORCHESTRATE_…` that is in neither table is an error, as an unknown key of the file is: a"
    yield (
        "misspelled one would be ignored. Also read: `TERRAFORM_BIN` (the program, e.g. `tofu`), `PORKBUN_API_KEY` and"
    )
    yield "`PORKBUN_SECRET_API_KEY`, and everything that boto3 and Terraform read. Because of `ORCHESTRATE_PARENT`, an"
    yield "`orchestrate run` that Terraform starts inside `orchestrate apply` leaves the work to it."


def _shown(setting: settings.Setting) -> str:
    default = setting.written(setting.default)
    return f"`{default}`" if default else ""


# commands


def _cli() -> Iterator[str]:
    yield "`orchestrate COMMAND --help` says the same. Exit statuses: [exit-status.md](exit-status.md)."
    yield ""
    root = click.Context(orchestrate, info_name="orchestrate")
    for name in COMMANDS:
        command = cast("click.Group", orchestrate).get_command(root, name)
        yield from _command(f"orchestrate {name}", command)
        for part in getattr(command, "commands", {}).values():
            yield from _command(f"orchestrate {name} {part.name}", part)


def _command(title: str, command: click.Command | None) -> Iterator[str]:
    """From click's parameters, not its formatted help: that differs between click's versions."""
    if command is None:
        return
    arguments = [one for one in command.params if isinstance(one, click.Argument)]
    words = (one.metavar or f"[{(one.name or '').upper()}]" for one in arguments)
    yield from (f"## `{' '.join((title, *words))}`", "")
    for paragraph in (command.help or "").split("\n\n"):
        yield from (_sentence(paragraph), "")
    options = [one for one in command.params if isinstance(one, click.Option)]
    takes_all = {one.name for one in options} >= _SETTINGS
    own = [one for one in options if not (takes_all and one.name in _SETTINGS)]
    if own:
        yield from _table(("Option", "What it does"), (_option(one) for one in own))
    if takes_all:
        yield from ("Also each of the [settings](settings.md), as a flag.", "")


def _option(option: click.Option) -> tuple[str, str]:
    metavar = "" if option.is_flag else f" {option.metavar or _value(option.type)}"
    said = (option.help or "") + (f" Default: {option.default}." if option.show_default else "")
    return f"`{', '.join(option.opts)}{metavar}`", said


def _value(kind: click.ParamType) -> str:
    """What an option takes, where it doesn't say so itself."""
    if isinstance(kind, click.Choice):
        return f"[{'|'.join(map(str, kind.choices))}]"
    return "NUMBER" if isinstance(kind, click.IntRange | click.FloatRange) else kind.name.upper()


# problems


def _problems() -> Iterator[str]:
    yield "Every problem has a code that doesn't change, a message, usually a place, and a fix. The code is in brackets"
    yield "after the message, and is `code` in `--json`. `{…}` is filled in when it happens. Where *the message"
    yield "varies*, it is that of AWS, PostgreSQL or Terraform, or says what was found."
    yield ""
    by_code: dict[str, list[Source]] = defaultdict(list)
    for one in problems():
        by_code[one.code].append(one)
    local = {code for code, places in by_code.items() if all("/local/" in one.file for one in places)}
    yield from _listed({code: places for code, places in by_code.items() if code not in local})
    yield "# Problems of the local cloud"
    yield ""
    yield from _listed({code: by_code[code] for code in sorted(local)})


def _listed(by_code: Mapping[str, Sequence[Source]]) -> Iterator[str]:
    for code, places in by_code.items():
        yield f"## {_code(code)}"
        yield ""
        files: dict[str, list[str]] = defaultdict(list)
        for one in sorted(places, key=lambda one: not (one.message or one.fix)):
            files[_said(one)].append(one.file)
        yield from (f"- {said} ({', '.join(dict.fromkeys(where))})" for said, where in files.items())
        yield ""


def _said(one: Source) -> str:
    said = _ended(_code(one.message)) if one.message else "*The message varies.*"
    return f"{said} Fix: {_ended(_code(one.fix))}" if one.fix else said


def _ended(text: str) -> str:
    return text if text.endswith("?") else f"{text}."


def _code(text: str) -> str:
    """Templates as code, so that Markdown leaves `{a_b_c}` alone."""
    text = _cell(text).rstrip(".")
    if "`" in text and "{" not in text:
        return text
    plain = text.replace("`", "").replace("<", "\\<")
    return re.sub(r"\{[^{}]*\}", lambda found: f"`{found[0]}`", plain)


if __name__ == "__main__":
    main()
