"""kill -9 in each phase of a stack's round trip, then the same command again: the same data, the same counts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.faults.figures import FULL, SEED, tell
from tests.faults.interceptor import CRASHES, Injection
from tests.faults.round_trip import PHASES, RoundTrips, round_trips
from tests.faults.sweep import STAGES, Sweep, each, stages

pytestmark = [pytest.mark.cloud, pytest.mark.terraform]

KILLS = 10
"""In each phase, under `make faults`."""
SPARE = 5
"""More trips, where a phase was over before its instant: a run is not always of the same length."""
HANDFUL = {
    "backup": Injection(1, "kill-after", "ec2:CreateSnapshot"),
    "destroy": Injection(1, "kill-after", "rds:CreateDBSnapshot"),
    "restore": Injection(3, "kill-before", "s3:PUT"),
    "replace": Injection(2, "kill-before", "s3:PUT"),
    "pause": Injection(1, "kill-after", "rds:StopDBInstance"),
    "resume": Injection(1, "kill-before", "ecs:UpdateService"),
}


@pytest.mark.skipif(FULL, reason="the long form kills at random")
def test_a_round_trip_killed_in_each_phase(tmp_path: Path) -> None:
    with round_trips(tmp_path / "place") as one:
        trip = one.once(HANDFUL)
    assert {phase for phase, ended in trip.first.items() if not ended.killed} == set()
    assert trip.wrong == [], "\n".join(trip.wrong)


@pytest.mark.skipif(not FULL, reason="make faults")
def test_ten_round_trips_killed_at_random_in_each_phase(tmp_path: Path) -> None:
    sweep, kills, chance = Sweep(STAGES + KILLS), Counter[str](), random.Random(SEED)
    with stages(tmp_path, round_trips) as opened:
        lengths: dict[str, int] = {}

        def learn(one: RoundTrips, _: int) -> None:
            trip = one.once({})
            sweep.note("undisturbed", trip.wrong)
            with sweep.lock:
                for phase, ended in trip.first.items():
                    lengths[phase] = min(lengths.get(phase, len(ended.calls)), len(ended.calls))

        def survive(one: RoundTrips, injections: Mapping[str, Injection]) -> None:
            if sweep.wrong:  # a stack that came to harm goes on no other trip
                return
            trip = one.once(injections)
            with sweep.lock:
                kills.update(phase for phase, ended in trip.first.items() if ended.killed)
            sweep.note(", ".join(f"{phase} {injection}" for phase, injection in injections.items()), trip.wrong)

        def drawn() -> Mapping[str, Injection]:
            return {phase: Injection(chance.randint(1, lengths[phase]), chance.choice(CRASHES)) for phase in PHASES}

        each(opened, range(len(opened)), learn)
        each(opened, [drawn() for _ in range(KILLS)], survive)
        for _ in range(SPARE):
            if min(kills[phase] for phase in PHASES) < KILLS:
                sweep.of += 1
                survive(opened[0], drawn())
    spread = ", ".join(f"{phase} {kills[phase]} (of {lengths[phase]} calls)" for phase in PHASES)
    tell(f"round trips killed at random (FAULTS_SEED={SEED}): {sweep.done} trips, {len(sweep.wrong)} defects; {spread}")
    assert not sweep.wrong, "\n".join(sweep.wrong)
    assert min(kills[phase] for phase in PHASES) >= KILLS
