"""Where a workflow meets the process: arguments, environment, terminal and signals in, an exit status out."""

from __future__ import annotations

import gc
import getpass
import os
import select
import signal
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

import click

from orchestrator.cli.renderers import output_options
from orchestrator.cli.standard_output import StandardOutput, wire
from orchestrator.errors import Interrupted, Outcome, Problem
from orchestrator.settings import SETTINGS
from orchestrator.workflows.caller import Caller, Cancellation, Question, StackRef

if TYPE_CHECKING:
    from orchestrator.workflows import Emit

RECENT = 30
"""Records that are read for the time that steps usually take."""

O_contra = TypeVar("O_contra", contravariant=True)


class Workflow(Protocol[O_contra]):
    """What `orchestrator.workflows` has one of for each command."""

    def __call__(self, stack: StackRef, options: O_contra, /, *, emit: Emit, caller: Caller) -> Outcome:
        """Do it."""
        ...


def carry_out(
    workflow: Workflow[O_contra],
    options: O_contra,
    given: Mapping[str, Any],
    *,
    watched: bool = False,
) -> NoReturn:
    """Call the workflow for whoever typed this, and exit with the status of its outcome.

    `given` is what click read, of which the options that all commands share are used here. `watched`: on a terminal
    the run is drawn while it lasts.
    """
    title = typed()
    cancellation = Cancellation()
    listen(cancellation.request)
    stack = stack_of(given)
    wish = output_options(given, title, partial(_usual, stack, title) if watched else None)
    output = StandardOutput(lambda: datetime.now(UTC), wish)

    def ask(question: Question) -> str | None:
        if wish.for_programs or output.unheard or not somebody_is_there():
            return None
        if question.text:
            output.text(question.text)
        with output.held():
            return answer(question.prompt, cancellation)

    caller = Caller(
        text=None if wish.for_programs else output.text,
        picture=output.picture,
        wire=wire if given.get("debug") else None,
        ask=ask,
        listening=lambda: not output.unheard,
        cancellation=cancellation,
        abandon=_abandon,
        user=user(),
        words=tuple(sys.argv[1:]),
        by_hand=somebody_is_there(),
    )
    try:
        outcome = workflow(stack, options, emit=output.emit, caller=caller)
    finally:
        output.close()
    gc.freeze()  # collecting what AWS's clients hold costs 0.3 s and more at exit, and frees nothing that matters
    sys.exit(outcome.status)


def typed() -> str:
    """The command, as `dns plan`; nothing where no command line was read."""
    context, words = click.get_current_context(silent=True), []
    while context is not None and context.parent is not None:
        words.append(context.info_name or "")
        context = context.parent
    return " ".join(reversed(words))


def _usual(stack: StackRef, command: str) -> Mapping[str, float]:
    """Seconds that each step of this command usually takes here; nothing where no record tells."""
    from orchestrator.errors import OrchestratorError
    from orchestrator.render.usual import usual_seconds
    from orchestrator.workflows.history import history

    try:
        return usual_seconds(history(stack, RECENT), command)
    except OrchestratorError:  # the run itself says what is wrong with its settings or its records
        return {}


def stack_of(given: Mapping[str, Any]) -> StackRef:
    """The stack that is meant; its settings are those flags only that were given."""
    flags = (name.replace("-", "_") for name in SETTINGS)
    settings = {name: given[name] for name in flags if given.get(name) not in (None, ())}
    return StackRef(given["directory"], dict(os.environ), settings, given.get("contract"), sys.stdin)


def listen(asked_to_stop: Callable[[], None]) -> None:
    """Signals that ask to stop are passed on. A closed terminal is one."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # nohup and shells with `trap ''` mean it.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: asked_to_stop())


def _abandon() -> None:
    os._exit(Outcome.INTERRUPTED.status)


def somebody_is_there() -> bool:
    """Whether a person can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()


def answer(prompt: str, cancellation: Cancellation) -> str:
    """A person's answer. Raises `Interrupted` when it is a signal, whenever that comes."""
    sys.stdout.write(prompt)
    sys.stdout.flush()
    # Not input(): a signal just before it begins to read would be heard only after the answer.
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        if cancellation.requests:
            raise Interrupted(Problem("interrupted", "stopped on request; run the same command again to continue"))
    return sys.stdin.readline().strip()


def user() -> str:
    """The login name, else the number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no entry in the password database, as in many containers
        return str(os.getuid())
