from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.figures import FIGURES, FULL, UNCAPTURED
from tests.faults.resettable_stack import ResettableStack, resettable_stack


def pytest_configure(config: pytest.Config) -> None:
    """Only the full sweeps say how far they are: the short ones share a terminal with every other test."""
    if FULL and (manager := config.pluginmanager.getplugin("capturemanager")):
        UNCAPTURED[:] = [manager.global_and_fixture_disabled]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was tried, and what came of it."""
    if FIGURES:
        terminalreporter.section("faults")
    for figure in FIGURES:
        terminalreporter.write_line(figure)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResettableStack]:
    """One stack for the tests of a file."""
    folder: Path = tmp_path_factory.mktemp("faults")
    with resettable_stack(folder) as made:
        yield made
