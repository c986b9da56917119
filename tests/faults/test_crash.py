"""kill -9 just before and just after an outside call, then the same command again: as if nothing happened."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.figures import FULL, tell
from tests.faults.interceptor import Injection, crashes_of
from tests.faults.resettable_stack import ResettableStack
from tests.faults.sweep import WAYS, Way, converges, swept, trial, undisturbed

pytestmark = pytest.mark.cloud

HANDFUL = (
    Injection(2, "kill-after", "sql:CREATE-DATABASE"),
    Injection(1, "kill-after", "elasticache:ModifyReplicationGroup"),
    Injection(2, "kill-before", "ecs:UpdateService"),
    Injection(2, "kill-after", "ecs:UpdateService"),
    Injection(1, "kill-after", "route53:ChangeResourceRecordSets"),
    Injection(1, "kill-after", "lock:write"),
)


def survives(stage: ResettableStack, injection: Injection, way: Way, good: Any) -> Iterator[str]:
    """What is not as it should be after a crash and a second run."""
    folder, first = trial(stage, injection, way)
    if not first.killed:
        yield f"it was not killed, but ended with {first.status}"
        return
    second = stage.run(folder, Injection(), *way.arguments)
    yield from converges(stage, folder, (first, second), good)


@pytest.mark.skipif(FULL, reason="the sweep tries all calls")
def test_a_handful_of_crashes(stage: ResettableStack) -> None:
    good, _ = undisturbed(stage, WAYS["direct"])
    wrong = [
        f"{injection}: {defect}" for injection in HANDFUL for defect in survives(stage, injection, WAYS["direct"], good)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not FULL, reason="make faults")
@pytest.mark.parametrize("way", WAYS)
def test_a_crash_at_every_call(tmp_path: Path, way: str) -> None:
    number, sweep = swept(tmp_path, WAYS[way], crashes_of, survives)
    tell(f"crash at every call ({way}): {number} calls, {sweep.done} crashes, {sweep.well} converged{sweep.rest}")
    assert not sweep.wrong, "\n".join(sweep.wrong)
    assert not sweep.blind, f"never reached: {sweep.blind}"
