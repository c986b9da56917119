"""A failure belongs to its subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.engine.subjects import attempt, each, together
from orchestrator.errors import Expired, Interrupted, Invalid, OrchestratorError, PartlyFailed, Problem, Transient

NO = OrchestratorError(Problem("no", "no"))
LATER = Transient(Problem("later", "later"))


def raising(errors: dict[str, OrchestratorError], done: list[str]) -> Callable[[str], str]:
    def work(subject: str) -> str:
        if subject in errors:
            raise errors[subject]
        done.append(subject)
        return subject.upper()

    return work


@pytest.mark.parametrize("at_once", [1, 4])
def test_each_is_tried_whatever_becomes_of_the_others(at_once: int) -> None:
    done: list[str] = []
    with pytest.raises(PartlyFailed) as failed:
        each("abcd", raising({"a": NO, "c": LATER}, done), at_once=at_once)
    assert failed.value.failures == {"a": NO, "c": LATER}
    assert sorted(done) == ["b", "d"]
    assert [problem.code for problem in failed.value.problems] == ["no", "later"]


def test_nothing_is_raised_where_nothing_fails() -> None:
    done: list[str] = []
    each("ab", raising({}, done))
    assert done == ["a", "b"]


@pytest.mark.parametrize("kind", [Interrupted, Expired])
def test_who_is_asked_to_stop_or_may_no_more_begins_no_other(kind: type[OrchestratorError]) -> None:
    done: list[str] = []
    stop = kind(Problem("interrupted", "stopped"))
    with pytest.raises(PartlyFailed) as failed:
        each("abc", raising({"b": stop}, done))
    assert done == ["a"]
    assert failed.value.failures == {"b": stop, "c": stop}


def test_a_look_has_what_could_be_seen_and_why_not_the_rest() -> None:
    seen = attempt("abc", raising({"b": NO}, []))
    assert (seen.results, seen.failures) == ({"a": "A", "c": "C"}, {"b": NO})


@pytest.mark.parametrize("kind", [Invalid, Expired, Interrupted])
def test_what_is_about_us_is_nobodys_failure(kind: type[OrchestratorError]) -> None:
    with pytest.raises(kind):
        attempt("abc", raising({"b": kind(Problem("credentials-expired", "sign in"))}, []))


def batches(bad: set[str], error: OrchestratorError, made: list[str]) -> Callable[[Sequence[str]], None]:
    """A service that refuses a batch as a whole for one bad member."""

    def send(some: Sequence[str]) -> None:
        if bad & set(some):
            raise error
        made.extend(some)

    return send


@given(st.sets(st.sampled_from("abcdefghijkl")), st.sets(st.sampled_from("abcdefghijkl")))
def test_a_refused_batch_is_taken_apart_down_to_whom_it_is_about(subjects: set[str], bad: set[str]) -> None:
    made: list[str] = []
    error, order = OrchestratorError(Problem("bad", "bad")), sorted(subjects)
    try:
        together(order, batches(bad, error, made))
        failures: set[str] = set()
    except PartlyFailed as failed:
        failures = set(failed.failures)
    assert failures == bad & subjects
    assert made == [subject for subject in order if subject not in bad], "each once, in their order"


@pytest.mark.parametrize("error", [Invalid(Problem("credentials-rejected", "no")), LATER])
def test_what_is_about_the_call_is_not_asked_again_for_each(error: OrchestratorError) -> None:
    calls: list[int] = []

    def send(some: Sequence[str]) -> None:
        calls.append(len(some))
        raise error

    with pytest.raises(PartlyFailed) as failed:
        together("abcd", send)
    assert calls == [4]
    assert failed.value.failures == dict.fromkeys("abcd", error)
