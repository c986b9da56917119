"""Colours: what the variables say that others have agreed on."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from rich.text import Text

from orchestrator.events import StepDone
from orchestrator.render.console import coloured, console_of
from orchestrator.render.terminal import Terminal


@pytest.mark.parametrize(
    ("variables", "on_a_terminal", "in_a_file"),
    [
        ({}, True, False),
        ({"TERM": "xterm-256color"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "0"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "3", "TERM": "dumb"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": ""}, True, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"CLICOLOR": "1"}, True, False),
        ({"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, False, False),
    ],
    ids=str,
)
def test_the_variables(variables: Mapping[str, str], on_a_terminal: bool, in_a_file: bool) -> None:
    assert coloured(variables, terminal=True) is on_a_terminal
    assert coloured(variables, terminal=False) is in_a_file


@pytest.mark.parametrize("colours", [True, False, None])
def test_what_is_printed_to_a_file(colours: bool | None) -> None:
    out = io.StringIO()
    console_of(out, colours=colours).print(Text("x" * 300, style="bold red"))
    assert ("\x1b[" in out.getvalue()) is (colours is True)
    assert out.getvalue().count("\n") == 1, "a line of a file is never folded"


def test_the_clock_is_faint_the_mark_coloured_and_the_words_neither() -> None:
    out = io.StringIO()
    Terminal(out, lambda: datetime(2026, 11, 30, tzinfo=UTC), colours=True).emit(
        StepDone(step="sites", detail="it is up")
    )
    clock, mark, words = out.getvalue().rstrip("\n").split("\x1b[0m")
    assert (clock[:4], mark[:5], words) == ("\x1b[2m", "\x1b[32m", "it is up")
