"""How an ending is shown: every outcome has a colour, red means failed, every command has a next one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from orchestrator import cli
from orchestrator.cli import COMMANDS, edge, orchestrate
from orchestrator.cli.fleet import VERBS
from orchestrator.errors import Outcome
from orchestrator.events import RunFinished, RunStarted, StepFailed
from orchestrator.render import endings
from orchestrator.render.terminal import Terminal


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(out: io.StringIO, outcome: str) -> list[str]:
    terminal = Terminal(out, lambda: datetime(2026, 11, 30, 3, tzinfo=UTC))
    terminal.emit(RunStarted(stack="s", command="pause"))
    terminal.emit(RunFinished(outcome=outcome))
    return out.getvalue().splitlines()


def test_red_is_for_failed_alone() -> None:
    assert [one for one in Outcome if endings.style(one.word) == "red"] == [Outcome.FAILED]


@pytest.mark.parametrize("outcome", [*(one.word for one in Outcome), endings.UNFINISHED])
@pytest.mark.parametrize("command", [*COMMANDS, "dns plan", "dns check"])
def test_every_ending_of_every_command_has_a_next_command(command: str, outcome: str) -> None:
    assert "`orchestrate " in endings.next_command(command, outcome)


def test_what_is_named_exists() -> None:
    said = {
        endings.next_command(command, outcome)
        for command in COMMANDS
        for outcome in (*(one.word for one in Outcome), endings.UNFINISHED)
    }
    named = {part.split()[1] for text in said for part in text.split("`")[1::2] if part.startswith("orchestrate ")}
    assert named <= set(COMMANDS)


def every_command() -> Iterator[str]:
    assert isinstance(orchestrate, click.Group)
    root = click.Context(orchestrate)
    for name in COMMANDS:
        command = orchestrate.get_command(root, name)
        parts = getattr(command, "commands", {})
        yield from (f"{name} {part}" for part in parts) if parts else (name,)


TELL_IT_THEMSELVES = {
    *("demo", "local up", "local fleet", "fleet up", "serve"),
    *(f"fleet {verb}" for verb in (*VERBS, "exec", "watch", "worker", "show", "retry")),
}
"""Their last lines say it, or each stack's did."""


def test_every_command_tells_its_ending_or_what_comes_after_it() -> None:
    """A command whose events end in `RunFinished` is told by `next_command`; these are those of a workflow."""
    folder = Path(cli.__file__).parent
    told = {path for path in every_command() if "carry_out(" in _source(folder, path)}
    assert set(endings.AFTERWARDS) == set(every_command()) - told - TELL_IT_THEMSELVES
    assert [text for text in endings.AFTERWARDS.values() if "`orchestrate " not in text.replace('eval "$(', "")] == []


def _source(folder: Path, path: str) -> str:
    name = path.split(maxsplit=1)[0]
    if name in ("fleet", "local"):
        return ""
    return next(file for file in (folder / f"{name}.py", folder / f"{name}_.py") if file.exists()).read_text()


def test_it_is_said_to_somebody_at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    assert "next: `orchestrate resume` brings it back" in shown(Tty(), "succeeded")[-1]


def test_it_is_said_too_where_the_stack_was_never_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No Terraform here, say: then nothing has said which command runs."""
    monkeypatch.setenv("TERM", "xterm")
    out = Tty()
    terminal = Terminal(out, lambda: datetime(2026, 11, 30, 3, tzinfo=UTC), command="dns plan")
    terminal.emit(StepFailed(step="dns plan", detail="there are no outputs", code="no-outputs"))
    terminal.emit(RunFinished(outcome=Outcome.INVALID.word))
    assert "then `orchestrate dns plan` again" in out.getvalue().splitlines()[-1]


@pytest.mark.parametrize(("words", "name"), [(["dns", "plan"], "dns plan"), (["run"], "run")])
def test_the_command_is_known_from_what_was_typed(words: list[str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setattr(edge, "carry_out", lambda *_, **__: seen.append(edge.typed()))
    assert CliRunner().invoke(orchestrate, words).exit_code == 0
    assert seen == [name]


def test_it_is_not_said_to_a_file() -> None:
    assert "next" not in "".join(shown(io.StringIO(), "succeeded"))
