"""The clock of the local cloud."""

from __future__ import annotations

import pytest

from orchestrator.local.core.pace import Pace


def test_its_seconds_never_go_back_when_it_slows_down() -> None:
    pace = Pace(1e6)
    before = pace.passed()
    pace.go_at(1)
    assert pace.passed() >= before > 0


@pytest.mark.parametrize("speed", [0, -1])
def test_a_speed_is_above_0(speed: float) -> None:
    pace = Pace(2)
    with pytest.raises(ValueError, match="above 0"):
        pace.go_at(speed)
    assert pace.speed == 2
