"""kill -9 just before and just after an outside call, then the same command again: as if nothing happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import FULL, tell
from tests.faults.seam import Deed, crashes_of
from tests.faults.sweep import WAYS, Way, converges, swept, trial, undisturbed
from tests.faults.theatre import Theatre

pytestmark = pytest.mark.cloud

HANDFUL = (
    Deed(2, "kill-after", "sql:CREATE-DATABASE"),
    Deed(1, "kill-after", "elasticache:ModifyReplicationGroup"),
    Deed(2, "kill-before", "ecs:UpdateService"),
    Deed(2, "kill-after", "ecs:UpdateService"),
    Deed(1, "kill-after", "route53:ChangeResourceRecordSets"),
    Deed(1, "kill-after", "lock:write"),
)


def survives(stage: Theatre, deed: Deed, way: Way, good: Any) -> Iterator[str]:
    """What is not as it should be after a crash and a second run."""
    folder, first = trial(stage, deed, way)
    if not first.killed:
        yield f"it was not killed, but ended with {first.status}"
        return
    second = stage.run(folder, Deed(), *way.arguments)
    yield from converges(stage, folder, (first, second), good)


@pytest.mark.skipif(FULL, reason="the sweep tries all calls")
def test_a_handful_of_crashes(stage: Theatre) -> None:
    good, _ = undisturbed(stage, WAYS["direct"])
    wrong = [f"{deed}: {defect}" for deed in HANDFUL for defect in survives(stage, deed, WAYS["direct"], good)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not FULL, reason="make faults")
@pytest.mark.parametrize("way", WAYS)
def test_a_crash_at_every_call(tmp_path: Path, way: str) -> None:
    number, sweep = swept(tmp_path, WAYS[way], crashes_of, survives)
    tell(f"crash at every call ({way}): {number} calls, {sweep.done} crashes, {sweep.well} converged{sweep.rest}")
    assert not sweep.wrong, "\n".join(sweep.wrong)
    assert not sweep.blind, f"never reached: {sweep.blind}"
