"""A new user's trial: what README, the tutorial and every how-to say is typed, and says what the page says.

All of it on one stack, that of the tutorial, which the other pages find alive and leave alive. What needs Terraform,
an account or somebody else's keys is tried elsewhere, each line by name (`expected`). Too long for the suite: `make
trial`; `TRIAL=full` also types what takes longest. That no command line is missing here is tested by test_pages.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.local.core import state
from orchestrator.local.endpoint import client
from tests.trial.expected import EXPECTED, TUTORIAL_ENDS, Line
from tests.trial.pages import ROOT
from tests.trial.session import Session

LONG = os.environ.get("TRIAL") == "full"
TUTORIAL = "docs/tutorial.md"
LINES = EXPECTED[TUTORIAL]
END = next(at for at, line in enumerate(LINES) if line.command == TUTORIAL_ENDS)


@dataclass(frozen=True)
class Trial:
    """Where the new user sits."""

    home: Path
    session: Session

    def types(self, lines: Sequence[Line]) -> None:
        for line in lines:
            if line.elsewhere or (line.long and not LONG):
                continue
            command = line.run.format(root=ROOT, home=self.home) if line.run else line.command
            typed = self.session.type(command)
            assert typed.status == line.status, f"{command}: exit status {typed.status}\n{typed.said}"
            at = 0
            for part in line.says:
                found = typed.said.find(part, at)
                assert found >= 0, f"{command} doesn't say {part!r} (after {at}):\n{typed.said}"
                at = found + len(part)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """The tutorial's first section: from nothing to a stack, its shell inside."""
    home, beside = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("beside")
    browser = beside / "xdg-open"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >> {beside}/opened\n')
    browser.chmod(0o755)
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    path = os.pathsep.join((str(beside), os.environ["PATH"]))
    session = Session(home, beside, {**kept, "PATH": path, "HOME": str(home), "AWS_PAGER": "", "USER": "ana"})
    made = Trial(home, session)
    start = next(at for at, line in enumerate(LINES) if line.command.startswith("eval")) + 1
    try:
        made.types(LINES[:start])
        yield made
        assert (beside / "opened").read_text().splitlines() != []
    finally:
        client.down(state.folder_of("default", home / ".orchestrate" / "local" / "default"))
        client.down(home / ".orchestrate" / "local" / "fleet")


@pytest.mark.cloud
def test_the_tutorial(trial: Trial) -> None:
    start = next(at for at, line in enumerate(LINES) if line.command.startswith("eval")) + 1
    trial.types(LINES[start:END])


@pytest.mark.cloud
@pytest.mark.parametrize("page", [page for page in EXPECTED if page != TUTORIAL])
def test_a_page(trial: Trial, page: str) -> None:
    trial.types(EXPECTED[page])


@pytest.mark.cloud
def test_the_tutorial_ends_with_nothing_left(trial: Trial) -> None:
    trial.types(LINES[END:])
    assert not (trial.home / ".orchestrate" / "local" / "default").exists()
