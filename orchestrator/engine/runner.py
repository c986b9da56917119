"""The only loop: observe → decide → apply → observe again, per step; independent steps at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from graphlib import TopologicalSorter
from typing import Any

from orchestrator.engine import looks
from orchestrator.engine.clock import Clock
from orchestrator.engine.graph import AnyStep, edges
from orchestrator.engine.limits import Limits as Limits  # noqa: PLC0414 - who runs steps finds it here
from orchestrator.engine.looks import Look
from orchestrator.engine.renewal import EVERY, Renewal
from orchestrator.engine.report import Ending as Ending  # noqa: PLC0414 - and what running them comes to
from orchestrator.engine.report import Report as Report  # noqa: PLC0414
from orchestrator.engine.retry import NotYet, WaitPolicy
from orchestrator.engine.step import STACK, Blocked, Done, Subject, Todo, Unread, Verdict, Wait, tenant_of
from orchestrator.engine.unconfirmed import Unconfirmed
from orchestrator.errors import Expired, Interrupted, OrchestratorError, Outcome, PartlyFailed, Problem, Transient
from orchestrator.events import Emit, FindingReported, StepDone, StepFailed, StepStarted, StepWaiting

HEARTBEAT = 15.0
"""Seconds after which an unchanged wait is said again: silence looks like a hang."""

Around = Callable[[str, Mapping[Subject, str]], AbstractContextManager[object]]
"""Entered around each change, with the step and what is changed for whom; raises when it must not be made."""


def unguarded(_step: str, _changes: Mapping[Subject, str]) -> AbstractContextManager[object]:
    """Nothing around a change."""
    return nullcontext()


@dataclass
class _Progress:
    """One step under way. Nothing here outlives the step: the next run observes the world anew."""

    step: AnyStep
    subjects: Collection[Subject] | None
    excluded: frozenset[Subject]
    emit: Emit
    clock: Clock
    timeout: float
    latest: float
    """The run's own deadline (monotonic seconds): progress never moves the step's beyond it."""
    around: Around
    renewal: Renewal
    applied: dict[Subject, list[Todo]] = field(default_factory=dict)
    unconfirmed: Unconfirmed = field(default_factory=Unconfirmed)
    endings: dict[Subject, Ending] = field(default_factory=dict)
    last: dict[Subject, Verdict] = field(default_factory=dict)
    reported: set[str] = field(default_factory=set)
    said: dict[Subject, tuple[str, float]] = field(default_factory=dict)
    progress: set[tuple[Subject, str]] = field(default_factory=set)
    deadline: float = field(init=False)
    reading: Look = field(init=False)

    def __post_init__(self) -> None:
        self.reading = Look(self.clock.monotonic)
        self._move_deadline()

    def _move_deadline(self) -> None:
        """From now on the step has its whole timeout, as far as the run's allows."""
        self.deadline = min(self.clock.monotonic() + self.timeout, self.latest)

    @property
    def until(self) -> str:
        """The deadline as a time of day."""
        left = timedelta(seconds=self.deadline - self.clock.monotonic())
        return (self.clock.now() + left).isoformat(timespec="seconds")

    def concerns(self, subject: Subject) -> bool:
        """Whether a verdict about `subject` matters to this run."""
        asked = subject == STACK or self.subjects is None or tenant_of(subject) in self.subjects
        return asked and not {subject, tenant_of(subject)} & self.excluded and subject not in self.endings

    def look(self, context: Any) -> None:
        """One observation, its verdicts, and the changes they ask for. Raises `NotYet` while something is missing."""
        with self.reading.tried():
            facts = self.step.observe(context)
        self.unconfirmed.looked()
        self.renewal.looked()
        self._report(facts)
        self.last = verdicts = {who: seen for who, seen in self.step.decide(facts).items() if self.concerns(who)}
        for subject, verdict in verdicts.items():
            self._settle(subject, verdict)
        fresh = {who: todo for who, todo in verdicts.items() if isinstance(todo, Todo) and not self._sent(who, todo)}
        if fresh and self._change(context, fresh):
            raise NotYet(0.0)
        pending = [seen for who, seen in self.last.items() if who not in self.endings and isinstance(seen, Wait | Todo)]
        if pending:
            polls = [verdict.poll for verdict in pending if isinstance(verdict, Wait) and verdict.poll is not None]
            raise NotYet(min(polls, default=self.step.poll))

    def _change(self, context: Any, fresh: Mapping[Subject, Todo]) -> bool:
        """Make the changes; a failure belongs to its subject. Whether any was made, so that looking again is worth it.

        What may pass is not taken for sent: the next look (after `Unheard`: `doubts`) tells whether it has to be again.
        """
        failures: Mapping[Subject, OrchestratorError] = {}
        for subject, todo in fresh.items():
            self.say(subject, todo.change)
        try:
            with self.around(self.step.id, {who: todo.change for who, todo in fresh.items()}):
                self.step.apply(context, fresh)
        except PartlyFailed as error:
            failures = error.failures
        made = [subject for subject in fresh if subject not in failures]
        for subject in made:
            self.applied.setdefault(subject, []).append(fresh[subject])
        for subject, failure in failures.items():
            self._missed(subject, failure)
        return bool(made)

    def _missed(self, subject: Subject, failure: OrchestratorError) -> None:
        """Its change was not made, or nobody knows."""
        if isinstance(failure, Interrupted | Expired):
            raise failure
        again = Unread.because(self.unconfirmed.noted(subject, failure)).verdict
        if isinstance(again, Wait):
            self.last[subject] = again
            self.say(subject, again.because)
            return
        for problem in failure.problems:
            self.fail(subject, failure.outcome, problem)

    def _sent(self, subject: Subject, todo: Todo) -> bool:
        """The same change is never sent twice in a run: if it is not visible yet, that is waited for."""
        return todo in self.applied.get(subject, ()) or self.unconfirmed.about(subject)

    def _report(self, facts: Any) -> None:
        for found in self.step.findings(facts):
            if str(found) not in self.reported:
                self.reported.add(str(found))
                self.emit(FindingReported(step=self.step.id, detail=found.message, code=found.code, fix=found.fix))

    def _settle(self, subject: Subject, verdict: Verdict) -> None:
        changed = len(self.applied.get(subject, ()))
        if isinstance(verdict, Done):
            self.endings[subject] = Ending(Outcome.SUCCEEDED, verdict.detail, changed=changed)
            self.emit(StepDone(step=self.step.id, subject=subject, detail=verdict.detail, changed=changed))
        elif isinstance(verdict, Blocked):
            self.fail(subject, Outcome.REFUSED if verdict.refused else Outcome.FAILED, verdict.problem)
        elif isinstance(verdict, Wait):
            self._advance(subject, verdict.progress)
            self.say(subject, verdict.because)
        elif self._sent(subject, verdict):
            self.say(subject, f"sent, not visible yet: {verdict.change}")

    def _advance(self, subject: Subject, progress: str) -> None:
        """What moves for the first time earns more patience; where a subject stands at its first look does not."""
        if not progress or (subject, progress) in self.progress:
            return
        if any(who == subject for who, _ in self.progress):
            self._move_deadline()
        self.progress.add((subject, progress))

    def say(self, subject: Subject, detail: str) -> None:
        """What is waited for, and until when: when it changes, and again when it doesn't for a while."""
        before, when = self.said.get(subject, ("", 0.0))
        now = self.clock.monotonic()
        if before != detail or now - when >= HEARTBEAT:
            self.said[subject] = (detail, now)
            self.emit(StepWaiting(step=self.step.id, subject=subject, detail=detail, until=self.until))

    def fail(self, subject: Subject, outcome: Outcome, problem: Problem) -> None:
        """The step ends badly for this subject."""
        changed = len(self.applied.get(subject, ()))
        self.endings[subject] = Ending(outcome, problem.message, problem, changed)
        self.emit(
            StepFailed(
                step=self.step.id,
                subject=subject,
                detail=problem.message,
                changed=changed,
                code=problem.code,
                fix=problem.fix,
                context=problem.context,
                outcome=outcome.word,
            )
        )

    def give_up(self) -> None:
        """The deadline has passed: every subject still waiting times out, saying for what."""
        if self.renewal.problem is not None:
            self.fail(STACK, Outcome.EXPIRED, self.renewal.problem)
            return
        waiting = {who: verdict for who, verdict in self.last.items() if who not in self.endings}
        for subject, verdict in waiting.items():
            code, why, fix = "timed-out", "nothing was observed in time", ""
            if isinstance(verdict, Wait):
                code, why, fix = verdict.code, verdict.because, verdict.fix
            elif isinstance(verdict, Todo):
                code, why = "change-not-visible", f"sent, but never seen: {verdict.change}"
            self.fail(subject, Outcome.TIMED_OUT, Problem(code, f"gave up waiting: {why}", self.step.id, fix))


def run_step(
    step: AnyStep,
    context: Any,
    *,
    clock: Clock,
    emit: Emit,
    limits: Limits,
    subjects: Collection[Subject] | None = None,
    excluded: frozenset[Subject] = frozenset(),
    deadline: float | None = None,
    around: Around = unguarded,
) -> Mapping[Subject, Ending]:
    """Bring one step to its end for every subject. Raises only `Interrupted`; every other error is an ending."""
    timeout, latest = limits.steps.get(step.id, step.timeout), float("inf") if deadline is None else deadline
    progress = _Progress(step, subjects, excluded, emit, clock, timeout, latest, around, Renewal(limits.renewal, clock))
    emit(StepStarted(step=step.id, detail=step.title))
    try:
        for attempt in WaitPolicy(clock, lambda: progress.deadline, ceiling=limits.poll or 20.0).attempts():
            with attempt:
                _look(progress, context, limits.poll)
    except NotYet:
        progress.give_up()
    except Transient as error:
        progress.last = progress.last or {STACK: Wait(error.problems[0].message, error.problems[0].code)}
        progress.fail(STACK, Outcome.TIMED_OUT, error.problems[0])
    except Interrupted:
        raise
    except OrchestratorError as error:
        for problem in error.problems:
            progress.fail(STACK, error.outcome, problem)
    return progress.endings


def _look(progress: _Progress, context: Any, ceiling: float | None) -> None:
    try:
        progress.look(context)
    except Expired as error:
        progress.say(STACK, progress.renewal.awaited(error))
        raise NotYet(EVERY if ceiling is None else min(EVERY, ceiling)) from None
    except Transient as error:
        progress.say(STACK, f"{error.problems[0].message}; looking again")
        raise
    except NotYet as later:
        raise NotYet(later.poll if ceiling is None else min(later.poll, ceiling)) from None


@dataclass
class _Run:
    """The bookkeeping of one run: who is lost grows as subjects fail, so that one tenant never stops another."""

    steps: Mapping[str, AnyStep]
    needs: Mapping[str, set[str]]
    endings: dict[str, Mapping[Subject, Ending]] = field(default_factory=dict)

    def lost(self, step_id: str) -> frozenset[Subject]:
        """Subjects for which something this step needs did not come true, directly or further up."""
        lost: set[Subject] = set()
        for need in self.needs[step_id]:
            lost |= {who for who, ending in self.endings[need].items() if ending.outcome is not Outcome.SUCCEEDED}
            lost |= self.lost(need)
        return frozenset({STACK, *lost} if lost and self.steps[step_id].whole else lost)


def run(
    steps: Sequence[AnyStep],
    context: Any,
    *,
    clock: Clock,
    emit: Emit,
    limits: Limits | None = None,
    subjects: Collection[Subject] | None = None,
    around: Around = unguarded,
) -> Report:
    """Run `steps` in their order, independent ones at the same time; `subjects` narrows it to some tenants.

    A step whose needs failed for the whole stack is not begun; for a tenant it failed for, the tenant is left out, or,
    where the step is about all of them at once (`Step.whole`), it is not begun either.
    `around` may come from several threads.
    """
    limits = limits or Limits()
    state = _Run({step.id: step for step in steps}, edges(steps))
    deadline = None if limits.run is None else clock.monotonic() + limits.run
    lock = threading.Lock()

    def one_at_a_time(event: Any) -> None:
        with lock:
            emit(event)

    def start(step_id: str) -> Mapping[Subject, Ending]:
        lost = state.lost(step_id)
        if STACK in lost:
            return {}
        return run_step(
            state.steps[step_id],
            context,
            clock=clock,
            emit=one_at_a_time,
            limits=limits,
            subjects=subjects,
            excluded=lost,
            deadline=deadline,
            around=around,
        )

    _in_order(state, start)
    return Report(dict(state.endings))


def _in_order(state: _Run, start: Any) -> None:
    sorter = TopologicalSorter(state.needs)
    sorter.prepare()
    running: dict[Future[Mapping[Subject, Ending]], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(state.steps)), thread_name_prefix="step") as pool:
        while sorter.is_active():
            for step_id in sorter.get_ready():
                running[pool.submit(start, step_id)] = step_id
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                step_id = running.pop(future)
                state.endings[step_id] = future.result()
                sorter.done(step_id)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look of a step gave: its facts (None: it could not look), and what it makes of them."""

    facts: Any
    verdicts: Mapping[Subject, Verdict]

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be done or waited for."""
        return all(isinstance(verdict, Done) for verdict in self.verdicts.values())


def sights(
    steps: Sequence[AnyStep],
    context: Any,
    *,
    subjects: Collection[Subject] | None = None,
    together: Callable[[], looks.Look] | None = None,
) -> Mapping[str, Observation]:
    """Observe and decide, changing nothing. A failed observation is a `Blocked`, or a `Wait` where it may pass.

    With `together` (`looks.survey`), what several steps ask is asked once.
    """

    def look(step: AnyStep) -> Observation:
        try:
            with together().tried() if together else nullcontext():
                facts = step.observe(context)
            verdicts = step.decide(facts)
        except OrchestratorError as error:
            return Observation(None, {STACK: Unread.because(error).verdict})
        wanted = {
            who: seen
            for who, seen in verdicts.items()
            if who == STACK or subjects is None or tenant_of(who) in subjects
        }
        return Observation(facts, wanted)

    with ThreadPoolExecutor(max_workers=max(1, len(steps)), thread_name_prefix="survey") as pool:
        return dict(zip((step.id for step in steps), pool.map(look, steps), strict=True))


def survey(
    steps: Sequence[AnyStep],
    context: Any,
    *,
    subjects: Collection[Subject] | None = None,
    monotonic: Callable[[], float] | None = None,
) -> Mapping[str, Mapping[Subject, Verdict]]:
    """What `plan` shows: the verdicts of one look of each step.

    `monotonic` counts seconds: with it, what several steps ask is asked once, after this began.
    """
    together = looks.survey(monotonic) if monotonic else None
    seen = sights(steps, context, subjects=subjects, together=together)
    return {step: sight.verdicts for step, sight in seen.items()}
