"""What every working command has in common: events to where they belong, signals, errors, the exit status."""

from __future__ import annotations

import gc
import os
import secrets
import select
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator import __version__
from orchestrator.cli.ledger import Ledger
from orchestrator.cli.nesting import PARENT
from orchestrator.cli.options import Options
from orchestrator.cli.voice import Voice
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.journal import FOLDER, Journal, run_id
from orchestrator.engine.step import Blocked, Done, Subject, Todo, Verdict, Wait
from orchestrator.errors import Interrupted, OrchestratorError, Outcome, Problem
from orchestrator.events import (
    Event,
    FindingReported,
    RunFinished,
    RunStarted,
    StepDone,
    StepFailed,
    StepWaiting,
)
from orchestrator.redact import Redactor, from_environment
from orchestrator.render.redact import redacted

if TYPE_CHECKING:
    from orchestrator.app import Certification, Operation
    from orchestrator.aws.access import Access
    from orchestrator.contract import Stack
    from orchestrator.settings import Settings
    from orchestrator.terraform import Terraform

Op = TypeVar("Op", bound="Operation")


class Conductor:
    """One command under way: emits and records its events, guards and counts its changes, hears who asks it to stop.

    Whatever it says has passed `redact` before.
    """

    def __init__(self, command: str, options: Options) -> None:
        self.command = command
        self.options = options
        self.environment: Mapping[str, str] = dict(os.environ)
        self.clock = SystemClock()
        self.operation: Operation | Certification | None = None
        self.redact = Redactor(from_environment(self.environment))
        title = command if options.as_markdown else ""
        self.voice = Voice(self.clock.now, as_json=options.as_json, markdown=title)
        self.run = run_id(self.clock.now(), secrets.token_hex(3))
        self._ledger = Ledger(self.clock, self.redact, self._say_incomplete)
        self.change = self._ledger.change
        self.wary = False
        """Whether something was changed just before the steps, by Terraform or by a run that died."""
        self._signals = 0
        self._patient = False
        self._held = ExitStack()
        """What is ours for as long as we live."""
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def emit(self, event: Event) -> None:
        """To the record and the one renderer; safe from several threads."""
        self._ledger.note(event)
        with self._lock:
            self.voice.emit(redacted(event, self.redact))

    def picture(self, events: Iterable[Event]) -> None:
        """What is to be seen now, instead of the picture before: drawn in its place, or told as far as it is new."""
        with self._lock:
            self.voice.picture([redacted(event, self.redact) for event in events])

    def text(self, text: str) -> None:
        """Something for people only (a plan, a question)."""
        with self._lock:
            self.voice.text(self.redact(text))

    def record(self) -> None:
        """From now on this run has a record. Raises `Invalid` when there can't be one: nothing was changed yet."""
        from orchestrator.cli.origin import header

        settings, directory = self.settings, self.options.directory
        first = header(self.command, str(directory.absolute()), settings["reason"], self.environment, self.redact)
        self._ledger.journal = Journal(settings["journal-dir"] or directory / FOLDER, self.run, self.clock.now, first)

    def _say_incomplete(self, problem: Problem) -> None:
        with self._lock:
            self.voice.emit(_worth_knowing(self.command, problem))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """While no other run works on the stack. Raises `Locked` when one does for longer than `lock-timeout`."""
        from orchestrator.cli.origin import owner
        from orchestrator.engine.lock import held
        from orchestrator.lock_places import lock_of

        timeout = self.settings["lock-timeout"]
        until = (self.clock.now() + timedelta(seconds=timeout)).isoformat(timespec="seconds")

        def say(what: str) -> None:
            self.emit(StepWaiting(step="lock", detail=what, until=until))

        def warn(problem: Problem) -> None:
            self.emit(_worth_knowing("lock", problem))

        lock = lock_of(
            self.options.directory,
            self.environment,
            self.settings["lock-dir"],
            lock=self.settings["lock"],
            access=lambda: self.access,
        )
        ours = owner(self.run, self.command, self.clock.now())
        with held(lock, ours, timeout=timeout, clock=self.clock, say=say, warn=warn):
            self._ledger.lock = lock
            # Whoever died may have begun a deployment that nobody wrote down, and that is not shown yet.
            self.wary = self.wary or lock.inherited
            yield

    def fail(self, problem: Problem, outcome: Outcome, step: str = "") -> None:
        """Show a problem that is not a step's."""
        self.emit(
            StepFailed(
                step=step or self.command,
                detail=_with_place(problem),
                code=problem.code,
                fix=problem.fix,
                context=problem.context,
                outcome=outcome.word,
            )
        )

    @cached_property
    def settings(self) -> Settings:
        """The settings; raises `Invalid` with all their defects."""
        from orchestrator.settings import Settings

        return Settings(self.options.settings, self.environment, self.options.directory)

    def look_at(self, contract: str | None) -> Operation:
        """What can be done on the stack that a command was given, in its account: for those that change nothing."""
        from orchestrator import app

        stack = app.contract_from(contract, self.terraform, self.environment, sys.stdin, self.redact.learn)
        operation = self.operation_on(stack)
        operation.aws.require_account(stack.account_id)
        return operation

    def operation_on(self, stack: Stack) -> Operation:
        """The stack is known: what can be done on it."""
        from orchestrator import app

        return self.undertake(app.Operation, stack)

    def undertake(self, kind: Callable[..., Op], stack: Stack) -> Op:
        """An operation of this kind on the stack, as the command line chose."""
        from orchestrator import app

        chosen = self.options
        selection = app.Selection(
            chosen.only, chosen.skip, chosen.tenants, chosen.allow_zero, self.wary, chosen.new_databases
        )
        self.operation = operation = kind(
            stack,
            selection,
            self.settings,
            self.environment,
            self.clock,
            learn=self.redact.learn,
            access=self.access,
            rules=app.DnsRules(self.options.directory, self.options.adopt, self._records_of_terraform),
        )
        self.emit(RunStarted(stack=stack.stack, command=self.command, version=__version__))
        return operation

    def _records_of_terraform(self) -> frozenset[str]:
        """The names whose records Terraform manages here; none when there is no Terraform at hand."""
        from orchestrator import app

        data = self.options.directory / self.environment.get("TF_DATA_DIR", ".terraform")
        if self.environment.get(app.CONTRACT_VARIABLE) or not data.is_dir():
            return frozenset()
        return app.records_of_terraform(self.terraform.state())

    @cached_property
    def access(self) -> Access:
        """The one session of this command: nobody is asked for a code twice."""
        from orchestrator.aws.access import Access

        chosen = self.settings.all()["profile"]
        return Access(chosen.value, chosen.source, self._ask_for_code)

    def _ask_for_code(self, prompt: str) -> str:
        """Raises `Invalid` where there is no terminal to ask on."""
        from orchestrator.aws.access import nobody

        if self.options.as_json or self.voice.unheard or sys.stdin is None or not sys.stdin.isatty():
            return nobody(prompt)
        return self.ask(prompt)

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform in the directory that was asked for, as the identity that we are.

        Its child processes know that we are their parent.
        """
        from orchestrator.aws import child
        from orchestrator.cli.nesting import parent
        from orchestrator.terraform import Terraform

        environment = child.environment_of(self.environment, self.settings["profile"])
        if child.wants_a_person(environment):
            environment = self.access.signed(environment)
            self.redact.learn(environment[name] for name in child.KEYS[1:] if environment.get(name))
        ours = self._held.enter_context(parent(self.options.directory, self.environment))
        return Terraform(self.options.directory, {**environment, PARENT: ours})

    @cached_property
    def stray(self) -> Problem | None:
        """Why the `ORCHESTRATE_PARENT` in our environment is not to be believed, where there is one."""
        from orchestrator.cli.nesting import stale

        value = self.environment.get(PARENT, "")
        return stale(value, self.options.directory, self.environment) if value else None

    @property
    def nested(self) -> bool:
        """Whether an `orchestrate` that lives is at work on this stack around us: the steps are its to make."""
        return bool(self.environment.get(PARENT)) and self.stray is None

    def interrupts(self) -> int:
        """How many times we were asked to stop."""
        return self._signals

    def listen(self) -> None:
        """The first signal asks the run to stop cleanly, the second one ends it now. A closed terminal is a signal."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup and shells with `trap ''` mean it.
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._asked_to_stop)

    def _asked_to_stop(self, _number: int, _frame: Any) -> None:
        self._signals += 1
        self.clock.interrupt()
        if self._signals > 1 and not self._patient:
            self._ledger.cut_short(self._finished(Outcome.INTERRUPTED))
            os._exit(Outcome.INTERRUPTED.status)

    def ask(self, prompt: str) -> str:
        """A person's answer. Raises `Interrupted` when it is a signal, whenever that comes."""
        sys.stdout.write(prompt)
        sys.stdout.flush()
        # Not input(): a signal just before it begins to read would be heard only after the answer.
        while not select.select([sys.stdin], [], [], 0.1)[0]:
            self.clock.sleep(0.0)
        return sys.stdin.readline().strip()

    @contextmanager
    def patience(self) -> Iterator[None]:
        """While terraform works: a second signal is for terraform too, which we never leave alone."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False

    @property
    def so_far(self) -> str:
        """What this command has changed until now, in words; nothing else says that nothing was changed."""
        made = self._ledger.told
        if not made:
            return "nothing was changed"
        more = f" and {len(made) - 20} more" if len(made) > 20 else ""
        return f"changed before: {'; '.join(made[:20])}{more}"

    def finish(self, outcome: Outcome) -> Outcome:
        """The last event; before it, what was changed, where the credentials ended in the middle."""
        if outcome is Outcome.EXPIRED:
            detail, fix = self.so_far, "sign in again (`aws sso login`, or new keys), then run the same command"
            self.emit(FindingReported(step=self.command, detail=detail, code="changed-before-expiry", fix=fix))
        self.emit(self._finished(outcome))
        self._ledger.close()
        self._held.close()
        return outcome

    def _finished(self, outcome: Outcome) -> RunFinished:
        calls = self.operation.aws.calls if self.operation else 0
        seconds = round(time.monotonic() - self._began, 3)
        return RunFinished(outcome=outcome.word, changed=self._ledger.changed, seconds=seconds, aws_calls=calls)


def conduct(command: str, options: Options, work: Callable[[Conductor], Outcome], *, recorded: bool = False) -> None:
    """Run `work` and exit with the status of its outcome; every error becomes events and a status.

    `recorded`: the command may change something, so it leaves a record.
    """
    conductor = Conductor(command, options)
    conductor.listen()
    outcome = conductor.finish(_outcome(conductor, work, recorded=recorded))
    gc.freeze()  # collecting what AWS's clients hold costs 0.3 s and more at exit, and frees nothing that matters
    sys.exit(outcome.status)


def _outcome(conductor: Conductor, work: Callable[[Conductor], Outcome], *, recorded: bool) -> Outcome:
    try:
        if recorded and not conductor.nested:
            conductor.record()
            if conductor.stray:
                conductor.emit(_worth_knowing(conductor.command, conductor.stray))
        return work(conductor)
    except Interrupted as error:
        conductor.fail(error.problems[0], Outcome.INTERRUPTED)
        return Outcome.INTERRUPTED
    except OrchestratorError as error:
        for problem in error.problems:
            conductor.fail(problem, error.outcome)
        return error.outcome
    except Exception as error:  # noqa: BLE001 - a defect of ours: it must not keep the lock, leave the record open, or show a secret in a traceback
        conductor.emit(FindingReported(step=conductor.command, detail=traceback.format_exc(), code="traceback"))
        fix = "this is a defect of orchestrate: report it with the lines above; running it again loses nothing"
        conductor.fail(Problem("unexpected", f"{type(error).__name__}: {error}", "", fix), Outcome.FAILED)
        return Outcome.FAILED


def _with_place(problem: Problem) -> str:
    return f"{problem.context}: {problem.message}" if problem.context else problem.message


def _worth_knowing(step: str, problem: Problem) -> FindingReported:
    return FindingReported(step=step, detail=_with_place(problem), code=problem.code, fix=problem.fix)


def show_survey(conductor: Conductor, survey: Mapping[str, Mapping[Subject, Verdict]]) -> Outcome:
    """Say what a look at the world found; the outcome tells whether there is work."""
    for event in survey_events(survey):
        conductor.emit(event)
    return outcome_of(survey)


def survey_events(survey: Mapping[str, Mapping[Subject, Verdict]]) -> Iterator[Event]:
    """What a look at the world found."""
    for step, verdicts in survey.items():
        for subject, verdict in verdicts.items():
            yield _event(step, subject, verdict)


def outcome_of(survey: Mapping[str, Mapping[Subject, Verdict]]) -> Outcome:
    """Failed where something is blocked, else pending where something is not done."""
    verdicts = [verdict for some in survey.values() for verdict in some.values()]
    if any(isinstance(verdict, Blocked) for verdict in verdicts):
        return Outcome.FAILED
    return Outcome.SUCCEEDED if all(isinstance(verdict, Done) for verdict in verdicts) else Outcome.PENDING


def _event(step: str, subject: Subject, verdict: Verdict) -> Event:
    if isinstance(verdict, Done):
        return StepDone(step=step, subject=subject, detail=verdict.detail)
    if isinstance(verdict, Wait):
        return StepWaiting(step=step, subject=subject, detail=verdict.because)
    if isinstance(verdict, Todo):
        return FindingReported(step=step, subject=subject, detail=f"would {verdict.change}", code="change-planned")
    problem = verdict.problem
    return StepFailed(
        step=step, subject=subject, detail=problem.message, code=problem.code, fix=problem.fix, context=problem.context
    )
