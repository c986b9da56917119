"""Every command line of README, the tutorial and the how-tos is known to the trial (`make trial`)."""

from __future__ import annotations

import pytest

from tests.trial.expected import EXPECTED
from tests.trial.pages import commands, every_page


@pytest.mark.parametrize("page", every_page())
def test_every_command_of_a_page_is_known(page: str) -> None:
    assert [line.command for line in EXPECTED[page]] == list(commands(page))
