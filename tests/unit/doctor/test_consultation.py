"""When the doctor looks a second time: what AWS shows late must not be named as a cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from orchestrator.aws.network import Instance
from orchestrator.aws.ssm import Ping
from orchestrator.doctor import consultation
from orchestrator.doctor.checks import runner
from orchestrator.engine.check import Case, Diagnosis, Finding, Severity
from orchestrator.engine.unconfirmed import WINDOW

DOWN = Finding(
    code="x-down", severity=Severity.BLOCKER, symptom="x is down", cause="it is", fix="start it", evidence=("seen",)
)
STOPPED, BETWEEN = replace(DOWN, at_rest=True), replace(DOWN, contradicted=True)


class Clock:
    """Counts what is slept."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def of(*found: Finding, paused: bool = False) -> Diagnosis:
    return Diagnosis(tuple(Case(one) for one in found), 1, paused)


@pytest.mark.parametrize(
    ("first", "looks"),
    [
        (of(), 1),
        (of(DOWN), 1),
        (of(paused=True), 1),
        (of(STOPPED), 2),
        (of(BETWEEN), 2),
        (Diagnosis((Case(DOWN, (STOPPED,)),), 1), 2),
    ],
    ids=["well", "something is down", "paused", "something is stopped", "two say different things", "as a consequence"],
)
def test_it_looks_again_where_a_pause_may_not_show_yet(
    monkeypatch: pytest.MonkeyPatch, first: Diagnosis, looks: int
) -> None:
    """What the last look shows is what counts."""
    shown, clock, context = [first, of(DOWN, paused=True)], Clock(), _Anything()
    monkeypatch.setattr(consultation, "_look", lambda _scene, _subjects: shown.pop(0))
    last = consultation.consult(context, cast("Any", context), clock)
    assert clock.slept == [WINDOW] * (looks - 1)
    assert last == (first if looks == 1 else of(DOWN, paused=True))


class _Anything:
    """Has whatever is asked for; what reads with it is not looked through here."""

    def __getattr__(self, _name: str) -> Any:
        return self

    def __call__(self, *_given: Any, **_named: Any) -> Any:
        return self


def test_the_runners_states_contradict_each_other_only_where_ec2_says_it_runs() -> None:
    """The instance runs, says EC2; the agent is gone, says SSM: one of them may be late."""

    def judged(state: str, ping: Ping | None) -> bool:
        (found,) = runner.judge(runner.RunnerCheckFacts("i-1", Instance("i-1", state), ping))
        return found.contradicted

    lost = Ping("ConnectionLost")
    assert judged("running", lost)
    assert not judged("stopped", lost)
    assert not judged("running", None)
