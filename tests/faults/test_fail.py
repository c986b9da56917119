"""A call fails, as often as botocore tries it: either the run converges, or it says why and the next one converges."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.errors import Outcome
from tests.faults.figures import FULL, tell
from tests.faults.fork_server import Ended
from tests.faults.interceptor import Injection, failures_of
from tests.faults.resettable_stack import ResettableStack
from tests.faults.sweep import WAYS, Way, converges, swept, trial, undisturbed

pytestmark = pytest.mark.cloud

HANDFUL = (
    Injection(1, "expired", "elasticache:ModifyReplicationGroup"),
    Injection(1, "timeout", "ecs:UpdateService"),
    Injection(1, "truncated", "elasticache:ModifyReplicationGroup"),
    Injection(1, "throttled", "sts:GetCallerIdentity"),
    Injection(2, "broken", "route53:Get"),
    Injection(1, "reset", "sql:CREATE-DATABASE"),
    Injection(30, "broken", "record:write"),
)
GIVEN_BACK = "s3:DELETE"
"""A lock that can't be given back dies by itself: the next run waits for that."""
PASSING = {"throttled", "aws-unavailable", "aws-unreachable", "dns-provider-unavailable", "database-unreachable"}
UNWRITTEN = {"journal-unwritable", "lock-unwritable", "dns-history-unwritable"}
ENDS: dict[str, tuple[set[str], set[Outcome]]] = {
    "expired": ({"credentials-expired"}, {Outcome.INVALID, Outcome.EXPIRED}),
}
"""What a failure may be called, and how the run may then end; for the others: what passes."""


def ends_well(run: Ended, injection: Injection) -> Iterator[str]:
    """What is wrong with how a run ended to which this was done."""
    if "Traceback" in run.stdout + run.stderr or "unexpected" in run.codes or not run.events:
        yield f"a traceback: {run.stdout[-1500:]}{run.stderr[-1500:]}"
        return
    # An answer without a body can't be cut short: that one was heard.
    if (
        injection.what == GIVEN_BACK
        and injection.kind != "truncated"
        and not any(one.get("code") == "lock-left" for one in run.events)
    ):
        yield "nobody is told that the lock may still exist"
    codes, outcomes = ENDS.get(injection.kind, (PASSING, {Outcome.FAILED, Outcome.TIMED_OUT}))
    if run.status == 0:
        return
    if not run.codes & (codes | UNWRITTEN):
        yield f"it is called {sorted(run.codes)}"
    if not run.codes & UNWRITTEN and run.status not in {outcome.status for outcome in outcomes}:
        yield f"it ended with {run.status} ({sorted(run.codes)})"
    if any(not one["fix"] for one in run.events if one["event"] == "step-failed"):
        yield f"no fix: {[one for one in run.events if one['event'] == 'step-failed']}"


def survives(stage: ResettableStack, injection: Injection, way: Way, good: Any) -> Iterator[str]:
    """What is not as it should be after a failure, and after a second run where the first one gave up."""
    folder, first = trial(stage, injection, way)
    yield from ends_well(first, injection)
    is_over = first.status == 0 and injection.what != GIVEN_BACK
    runs = (first,) if is_over else (first, stage.run(folder, Injection(), *way.arguments))
    yield from converges(stage, folder, runs, good)


DEFECTS = ("sql:connect", "porkbun:dns/create/porkbun.example")


@pytest.mark.parametrize("what", DEFECTS)
def test_a_defect_shows_its_traceback_and_no_secret(stage: ResettableStack, what: str) -> None:
    """What `--debug` would show is shown: the exception's text has the arguments, passwords and keys among them."""
    folder, run = trial(stage, Injection(1, "defect", what), WAYS["direct"])
    assert (run.status, "unexpected" in run.codes) == (1, True), run.stdout[-2000:]
    assert f"a defect in {what}" in run.stdout
    assert "Traceback" in run.stdout
    assert run.stderr == ""
    assert stage.leaks(folder) == []


@pytest.mark.skipif(FULL, reason="the sweep tries all calls")
def test_a_handful_of_failures(stage: ResettableStack) -> None:
    good, _ = undisturbed(stage, WAYS["direct"])
    wrong = [
        f"{injection}: {defect}" for injection in HANDFUL for defect in survives(stage, injection, WAYS["direct"], good)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.skipif(not FULL, reason="make faults")
@pytest.mark.parametrize("way", WAYS)
def test_every_failure_at_every_call(tmp_path: Path, way: str) -> None:
    number, sweep = swept(tmp_path, WAYS[way], failures_of, survives)
    came_of_it = f"{sweep.done} failures, {sweep.well} ended well{sweep.rest}"
    tell(f"every failure at every call ({way}): {number} calls, {came_of_it}")
    assert not sweep.wrong, "\n".join(sweep.wrong)
    assert not sweep.blind, f"never reached: {sweep.blind}"
