"""What a pause remembers survives as a tag: everything that is put in comes out, within what AWS takes as a tag."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.aws.autoscaling import Scaling, Suspension
from orchestrator.lifecycle.pause_tags import PausedService, Stamp, remembered
from orchestrator.local.iam.moto_tags import TEXT

moments = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
stamps = st.builds(Stamp.of, moments, st.text(max_size=80), st.text(max_size=80))
suspensions = st.builds(Suspension, st.booleans(), st.booleans(), st.booleans())
scalings = st.none() | st.builds(Scaling, st.integers(0, 999), st.integers(0, 999), suspensions)
memories = st.builds(PausedService, stamps, st.integers(0, 99_999), scalings)


@given(memories)
def test_it_comes_out_of_the_tag_as_it_went_in(memory: PausedService) -> None:
    tag = str(memory)
    assert PausedService.parse(tag) == memory
    assert Stamp.parse(tag) == memory.stamp
    assert TEXT.fullmatch(tag)


@given(st.text() | st.from_regex(r"\S+ \S+ desired=\S*( min=\S* max=\S*)?", fullmatch=True))
def test_what_no_pause_wrote_is_told_or_understood_but_never_breaks(tag: str) -> None:
    memory = PausedService.parse(tag)
    assert memory is None or str(memory) == tag or memory == PausedService.parse(str(memory))


@given(memories, st.integers(1, 99), scalings, stamps)
def test_what_runs_is_remembered_and_remembering_is_idempotent(
    known: PausedService, desired: int, scaling: Scaling | None, stamp: Stamp
) -> None:
    once = remembered(known, desired, scaling, stamp)
    assert once.desired == desired
    assert remembered(once, desired, scaling, stamp) == once
    assert remembered(once, 0, scaling, stamp) == once
