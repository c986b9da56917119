"""What `--help` shows, and what is answered to a typo."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestrator.cli import COMMANDS, orchestrate
from orchestrator.cli.examples import EXAMPLES
from orchestrator.cli.shape import CommandGroup, GroupedCommand

ROOT = click.Context(orchestrate, info_name="orchestrate")


def every_command() -> Iterator[tuple[str, click.Command]]:
    assert isinstance(orchestrate, click.Group)
    for name in COMMANDS:
        command = orchestrate.get_command(ROOT, name)
        assert command is not None
        yield name, command
        for part in getattr(command, "commands", {}).values():
            yield f"{name} {part.name}", part


def said(*argv: str) -> tuple[int, str]:
    result = CliRunner().invoke(orchestrate, list(argv), prog_name="orchestrate", terminal_width=80)
    return result.exit_code, result.output


@pytest.mark.parametrize(("path", "command"), list(every_command()))
def test_every_command_has_the_shape(path: str, command: click.Command) -> None:
    assert isinstance(command, GroupedCommand | CommandGroup)
    assert all(option.help for option in command.params if isinstance(option, click.Option)), path


@pytest.mark.parametrize("path", EXAMPLES)
def test_examples_are_three_and_shown_whole(path: str) -> None:
    status, help_ = said(*path.split(), "--help")
    assert status == 0
    assert len(EXAMPLES[path]) == 3
    shown = help_.partition("\nExamples:\n")[2].splitlines()
    assert [line.strip() for line in shown] == list(EXAMPLES[path])


def test_only_what_takes_no_argument_worth_showing_has_no_examples() -> None:
    without = {
        path for path, command in every_command() if path not in EXAMPLES and not isinstance(command, CommandGroup)
    }
    assert without == {"version", "local down", "local status", "local env", "local faults"}


@pytest.mark.parametrize("line", [line for lines in EXAMPLES.values() for line in lines])
def test_every_example_can_be_typed(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as the command line goes: click takes it, without calling what it calls."""
    folder = tmp_path / "here"
    folder.mkdir()
    (tmp_path / "other-stack").mkdir()
    (folder / "plan.tfplan").touch()
    monkeypatch.chdir(folder)
    program, *words = shlex.split(line.partition(" > ")[0])
    assert program == "orchestrate"
    command: click.Command = orchestrate
    context = ROOT
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, name
        command, context = found, click.Context(found, parent=context, info_name=name)
    command.make_context(command.name, words, parent=ROOT)


def test_options_stand_in_groups() -> None:
    help_ = said("run", "--help")[1]
    titles = [line for line in help_.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert titles == ["Options:", "Which steps and tenants:", "What is shown:", "Settings:", "Examples:"]
    own, selection, shown, settings = (help_.index(f"\n{title}") for title in titles[:4])
    assert own < help_.index("--contract FILE") < selection < help_.index("--tenant NAME") < shown
    assert shown < help_.index("--log-format") < settings
    assert settings < help_.index("--timeout DURATION")


@pytest.mark.parametrize(
    ("argv", "answer"),
    [
        (["stauts"], "There is no command stauts. Did you mean status?"),
        (["doctro"], "There is no command doctro. Did you mean doctor?"),
        (["dns", "aply"], "There is no command aply. Did you mean apply?"),
        (["local", "falts"], "There is no command falts. Did you mean faults?"),
        (["terraform"], "There is no command terraform."),
        (["run", "--timout", "3"], "There is no option --timout. Did you mean --timeout?"),
        (["run", "--tenants", "a"], "There is no option --tenants. Did you mean --tenant?"),
        (["apply", "--varfile", "x"], "There is no option --varfile. Did you mean --var-file?"),
        (["apply", "--output", "json"], "There is no option --output."),
        (["local", "up", "--sped", "3"], "There is no option --sped. Did you mean --speed?"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant_or_with_nothing(argv: list[str], answer: str) -> None:
    status, output = said(*argv)
    assert status == 2
    assert output.splitlines()[-1] == f"Error: {answer}"
