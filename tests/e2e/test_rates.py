"""Where AWS's rates bite, a run goes slower and does all the same: no step fails for having asked too often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stage import Stage, stage

pytestmark = pytest.mark.cloud

TENANTS = tuple(f"customer-{number:02d}" for number in range(1, 16))


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Fifteen tenants, in a cloud whose services answer as often a second as AWS's."""
    folder: Path = tmp_path_factory.mktemp("rates")
    with stage(folder, tenants=TENANTS, rates=1) as made:
        made.command("certificate", "--json").succeeded()
        yield made


def test_nothing_fails_for_having_asked_too_often(slow: Stage) -> None:
    assert slow.direct().succeeded().last["changed"] > 0
    assert slow.direct().succeeded().last["changed"] == 0
    found = slow.command("doctor", "--database-transport", "direct", "--json").succeeded()
    assert found.of("finding-reported", "doctor") == []
    assert sum(slow.cloud.ask("status")["too_fast"].values()) > 0, "it did ask too often"
