"""What all workflows share: where events go, the record, the lock, errors, and how a run ends."""

from __future__ import annotations

import secrets
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from orchestrator import __version__
from orchestrator.engine.clock import SystemClock
from orchestrator.engine.journal import FOLDER, Journal, run_id
from orchestrator.errors import Interrupted, OrchestratorError, Outcome, Problem
from orchestrator.events import Emit, Event, FindingReported, RunFinished, RunStarted, StepFailed, StepWaiting
from orchestrator.redact import Redactor, from_environment
from orchestrator.render.redact import redacted
from orchestrator.workflows.caller import Caller, Question, StackRef, StepOptions
from orchestrator.workflows.end_pages import EndPages
from orchestrator.workflows.ledger import Ledger
from orchestrator.workflows.notifying import EndNotice
from orchestrator.workflows.parent_run import PARENT
from orchestrator.workflows.problem_events import with_place, worth_knowing

if TYPE_CHECKING:
    from pathlib import Path

    from orchestrator.app import Certification, Operation
    from orchestrator.aws.access import Access
    from orchestrator.engine.lock import DeadOwner
    from orchestrator.settings import Settings
    from orchestrator.stack.contract import Stack
    from orchestrator.terraform import Terraform

Op = TypeVar("Op", bound="Operation")


class Execution:
    """One workflow under way: emits and records its events, guards and counts its changes, hears who asks it to stop.

    Whatever it says has passed `redact` before.
    """

    def __init__(
        self, command: str, ref: StackRef, emit: Emit, caller: Caller, steps: StepOptions, *, page: Path | None = None
    ) -> None:
        self.command = command
        self.directory = ref.directory
        self.environment = dict(ref.environment)
        self.caller = caller
        self.steps = steps
        self.clock = SystemClock()
        self.operation: Operation | Certification | None = None
        self.redact = Redactor(from_environment(self.environment))
        self.run = run_id(self.clock.now(), secrets.token_hex(3))
        self._ref = ref
        self._emit = emit
        self._ledger = Ledger(self.clock, self.redact, self._say_incomplete)
        self.change = self._ledger.change
        self.wary = False  # whether something was changed just before the steps, by Terraform or by a run that died
        self._notice = EndNotice(self.run, command, caller.who, self.redact)
        self.pages = EndPages(page, self.clock.now)
        self._patient = False
        self._started = ""  # the stack of which the beginning was told
        self._held = ExitStack()
        """What is ours for as long as we live."""
        self._began = self.clock.monotonic()
        self._lock = threading.Lock()
        self._held.callback(caller.cancellation.tell(self._asked_to_stop))
        if caller.wire is not None:
            from orchestrator.aws.wire import wire_log

            self._held.enter_context(wire_log(caller.wire, self.redact))

    def emit(self, event: Event) -> None:
        """To the record and to the caller; safe from several threads."""
        self._ledger.note(event)
        self._notice.heard(event)
        self.show(event)

    def show(self, event: Event) -> None:
        """To the caller alone: what only somebody who watches needs."""
        shown = redacted(event, self.redact)
        self.pages.heard(shown)
        with self._lock:
            self._emit(shown)

    def picture(self, events: Iterable[Event]) -> None:
        """What is to be seen now, instead of the picture before."""
        seen = [redacted(event, self.redact) for event in events]
        with self._lock:
            self.pages.pictured(seen)
            if self.caller.picture is not None:
                self.caller.picture(seen)
                return
            for event in seen:
                self._emit(event)

    @property
    def for_people(self) -> bool:
        """Whether a person reads this: what only they need is made for them alone."""
        return self.caller.text is not None

    def text(self, text: str) -> None:
        """Something for people only (a plan, an explanation)."""
        if self.caller.text is not None:
            with self._lock:
                self.caller.text(self.redact(text))

    def record(self) -> None:
        """From now on this run has a record. Raises `Invalid` when there can't be one: nothing was changed yet."""
        first = self._header(self.settings["reason"])
        self._ledger.journal = Journal(self._records, self.run, self.clock.now, first)

    def _header(self, reason: str | None) -> dict[str, Any]:
        from orchestrator.workflows.origin import header

        given = self.command, str(self.directory.absolute()), reason, self.environment
        return header(*given, caller=self.caller, redact=self.redact)

    def _say_incomplete(self, problem: Problem) -> None:
        with self._lock:
            self._emit(worth_knowing(self.command, problem))

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """While no other run works on the stack. Raises `Locked` when one does for longer than `lock-timeout`."""
        from orchestrator.engine.lock import held
        from orchestrator.terraform.lock_places import lock_of
        from orchestrator.workflows.origin import owner

        timeout = self.settings["lock-timeout"]
        until = (self.clock.now() + timedelta(seconds=timeout)).isoformat(timespec="seconds")

        def say(what: str) -> None:
            self.emit(StepWaiting(step="lock", detail=what, until=until))

        def warn(problem: Problem) -> None:
            self.emit(worth_knowing("lock", problem))

        where = self.directory, self.environment, self.settings["lock-dir"]
        named, given = self.settings["lock"], self._ref.contract
        lock = lock_of(*where, lock=named, access=lambda: self.access, contract=given)
        ours = owner(self.run, self.command, self.caller, self.clock.now())
        with held(lock, ours, timeout=timeout, clock=self.clock, say=say, warn=warn):
            self._ledger.lock = lock
            # Whoever died may have begun a deployment that nobody wrote down, and that is not shown yet.
            self.wary = self.wary or lock.predecessor is not None
            self._await_what_was_sent(lock.predecessor)
            yield

    def _await_what_was_sent(self, dead: DeadOwner | None) -> None:
        """Until AWS must show what earlier runs sent and did not see: who looks sooner would do it once more."""
        from orchestrator.engine import unconfirmed

        left = unconfirmed.left(self._records, self.run, dead, self.clock.now())
        if left is not None:
            until = (self.clock.now() + timedelta(seconds=left.seconds)).isoformat(timespec="seconds")
            self.emit(StepWaiting(step="lock", detail=str(left), until=until))
            self.clock.sleep(left.seconds)

    @property
    def _records(self) -> Path:
        """The folder of the records."""
        return self.settings["journal-dir"] or self.directory / FOLDER

    def fail(self, problem: Problem, outcome: Outcome, step: str = "") -> None:
        """Show a problem that is not a step's."""
        self.emit(
            StepFailed(
                step=step or self.command,
                detail=with_place(problem),
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

        return Settings(self._ref.settings, self.environment, self.directory)

    def contract(self) -> Stack:
        """The stack that was given, or that Terraform knows. Raises `Invalid` with every defect."""
        from orchestrator import app

        ref = self._ref
        return app.contract_from(
            ref.contract, self.terraform, self.environment, ref.stdin, self.redact.learn, access=lambda: self.access
        )

    @property
    def contract_given(self) -> bool:
        """Whether a contract was named, beside what the environment and Terraform know."""
        return bool(self._ref.contract)

    def look_at(self) -> Operation:
        """What can be done on the stack that was given, in its account: for those that change nothing."""
        operation = self.operation_on(self.contract())
        operation.aws.require_account(operation.stack.account_id)
        return operation

    def operation_on(self, stack: Stack) -> Operation:
        """The stack is known: what can be done on it."""
        from orchestrator import app

        return self.undertake(app.Operation, stack)

    def undertake(self, kind: Callable[..., Op], stack: Stack) -> Op:
        """An operation of this kind on the stack, as was chosen."""
        from orchestrator import app

        it = self.steps
        selection = app.Selection(it.only, it.skip, it.tenants, it.allow_zero, self.wary, it.new_databases)
        self.operation = operation = kind(
            stack,
            selection,
            self.settings,
            self.environment,
            self.clock,
            learn=self.redact.learn,
            access=self.access,
            rules=app.DnsRules(self.directory, it.adopt, self._records_of_terraform),
        )
        if stack.stack != self._started:
            self.emit(RunStarted(stack=stack.stack, command=self.command, version=__version__))
        self._started = stack.stack
        return operation

    @property
    def terraform_data(self) -> Path:
        """Terraform's own folder."""
        return self.directory / (self.environment.get("TF_DATA_DIR") or ".terraform")

    def _records_of_terraform(self) -> frozenset[str]:
        """The names whose records Terraform manages here; none when there is no Terraform at hand."""
        from orchestrator import app

        if self.environment.get(app.CONTRACT_VARIABLE) or not self.terraform_data.is_dir():
            return frozenset()
        return app.records_of_terraform(self.terraform.state())

    @cached_property
    def access(self) -> Access:
        """The one session of this command: nobody is asked for a code twice."""
        from orchestrator.aws.access import Access

        chosen, role = self.settings.all()["profile"], self.settings["role"]
        return Access(self.environment, chosen.value, chosen.source, self._ask_for_code, role=role)

    def _ask_for_code(self, prompt: str) -> str:
        """Raises `Invalid` where there is nobody to ask."""
        from orchestrator.aws.access import nobody

        answer = self.caller.ask(Question(prompt=prompt, code=True))
        return nobody(prompt) if answer is None else answer

    def ask(self, question: Question) -> str:
        """A person's answer. Raises `Invalid` where there is nobody to ask, `Interrupted` when it is a signal."""
        from orchestrator.errors import Invalid

        answer = self.caller.ask(replace(question, text=self.redact(question.text)))
        if answer is None:
            raise Invalid(Problem("approval-needed", "there is no terminal to ask on", "", question.fix))
        return answer

    @cached_property
    def terraform(self) -> Terraform:
        """Terraform in the directory that was asked for, as the identity that we are.

        Its child processes know that we are their parent.
        """
        from orchestrator.aws import child
        from orchestrator.terraform import Terraform
        from orchestrator.workflows.parent_run import parent

        environment = child.environment_of(self.environment, self.settings["profile"])
        if self.settings["role"] or child.wants_a_person(environment):
            environment = self.access.signed(environment)
            self.redact.learn(environment[name] for name in child.KEYS[1:] if environment.get(name))
        ours = self._held.enter_context(parent(self.directory, self.environment))
        return Terraform(self.directory, {**environment, PARENT: ours})

    @cached_property
    def stray(self) -> Problem | None:
        """Why the `ORCHESTRATE_PARENT` in our environment is not to be believed, where there is one."""
        from orchestrator.workflows.parent_run import stale

        value = self.environment.get(PARENT, "")
        return stale(value, self.directory, self.environment) if value else None

    @property
    def nested(self) -> bool:
        """Whether an `orchestrate` that lives is at work on this stack around us: the steps are its to make."""
        return bool(self.environment.get(PARENT)) and self.stray is None

    def interrupts(self) -> int:
        """How many times we were asked to stop."""
        return self.caller.cancellation.requests

    def _asked_to_stop(self) -> None:
        """The first request stops us cleanly; the second one ends the process now, where the caller can do that."""
        self.clock.interrupt()
        if self.interrupts() > 1 and not self._patient and self.caller.abandon is not None:
            self._ledger.cut_short(self._finished(Outcome.INTERRUPTED))
            self.caller.abandon()

    @contextmanager
    def patience(self) -> Iterator[None]:
        """While terraform works: a second request is for terraform too, which we never leave alone."""
        self._patient = True
        try:
            yield
        finally:
            self._patient = False

    @property
    def so_far(self) -> str:
        """What this command has changed until now, in words; nothing else says that nothing was changed."""
        return self._ledger.so_far

    def finish(self, outcome: Outcome) -> Outcome:
        """The last event; before it, what was changed, where the credentials ended in the middle."""
        if outcome is Outcome.EXPIRED:
            detail, fix = self.so_far, "sign in again (`aws sso login`, or new keys), then run the same command"
            self.emit(FindingReported(step=self.command, detail=detail, code="changed-before-expiry", fix=fix))
        finished, journal = self._finished(outcome), self._ledger.journal
        if journal is not None:
            for missed in self._notice.sent(finished, self._ref, lambda: self.settings, self.clock.now()):
                self.emit(missed)
        for problem in self.pages.leave(finished, journal):
            self.emit(worth_knowing(self.command, problem))
        for problem in self.pages.write(self._header(None), finished, journal):
            self.fail(problem, Outcome.FAILED)
            outcome = Outcome.FAILED if outcome in (Outcome.SUCCEEDED, Outcome.PENDING) else outcome
        self.emit(self._finished(outcome))
        return outcome

    def close(self) -> None:
        """Nothing is held any more, and nothing more is written down."""
        self._ledger.close()
        self._held.close()

    def _finished(self, outcome: Outcome) -> RunFinished:
        calls = self.operation.aws.calls if self.operation else 0
        seconds = round(self.clock.monotonic() - self._began, 3)
        return RunFinished(outcome=outcome.word, changed=self._ledger.changed, seconds=seconds, aws_calls=calls)


def perform(
    command: str,
    ref: StackRef,
    work: Callable[[Execution], Outcome],
    *,
    emit: Emit,
    caller: Caller | None,
    steps: StepOptions | None = None,
    recorded: bool = False,
    page: Path | None = None,
) -> Outcome:
    """Do `work`, and tell how it ended; every error becomes events and an outcome.

    `recorded`: the workflow may change something, so it leaves a record. `page`: where it shall leave a page of itself.
    """
    execution = Execution(command, ref, emit, caller or Caller(), steps or StepOptions(), page=page)
    try:
        return execution.finish(_outcome(execution, work, recorded=recorded))
    finally:
        execution.close()


def _outcome(execution: Execution, work: Callable[[Execution], Outcome], *, recorded: bool) -> Outcome:
    try:
        execution.pages.check()
        if recorded and not execution.nested:
            execution.record()
            if execution.stray:
                execution.emit(worth_knowing(execution.command, execution.stray))
        return work(execution)
    except Interrupted as error:
        execution.fail(error.problems[0], Outcome.INTERRUPTED)
        return Outcome.INTERRUPTED
    except OrchestratorError as error:
        for problem in error.problems:
            execution.fail(problem, error.outcome)
        return error.outcome
    except Exception as error:  # noqa: BLE001 - a defect of ours: it must not keep the lock, leave the record open, or show a secret in a traceback
        execution.emit(FindingReported(step=execution.command, detail=traceback.format_exc(), code="traceback"))
        fix = "this is a bug in orchestrate: report it with the lines above; running the command again loses nothing"
        execution.fail(Problem("unexpected", f"{type(error).__name__}: {error}", "", fix), Outcome.FAILED)
        return Outcome.FAILED
