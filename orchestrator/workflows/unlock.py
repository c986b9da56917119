"""Where a stack's lock is and who holds it, and how a stack whose run is dead is freed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.errors import Invalid, Problem, Refused
from orchestrator.workflows.approval import YES
from orchestrator.workflows.caller import Caller, Question, StackRef

if TYPE_CHECKING:
    from orchestrator.engine.lock import Lock


@dataclass(frozen=True, slots=True)
class UnlockResult:
    """Where the lock is, who held it (empty: nobody), and whether it was freed."""

    place: str
    holder: str = ""
    freed: bool = False


def seen(stack: StackRef) -> UnlockResult:
    """Where the lock is, and who holds it. Raises `Invalid` (`lock-place-unknown`) where it has no place."""
    lock = _lock_of(stack, Caller())
    holder = lock.holder()
    return UnlockResult(lock.place, "" if holder is None else str(holder))


def unlock(stack: StackRef, *, force: bool = False, caller: Caller | None = None) -> UnlockResult:
    """Free the stack's lock once that was confirmed (`force`: at once).

    Raises `Refused` for a no, and when it changed hands meanwhile; `Invalid` where there is no terminal to ask on.
    """
    asked = caller or Caller()
    lock = _lock_of(stack, asked)
    holder = lock.holder()
    if holder is None:
        return UnlockResult(lock.place)
    if not force:
        _confirm(lock.place, str(holder), asked)
    if lock.holder() != holder:
        fix = "run the same command again: it shows who holds the lock now"
        raise Refused(Problem("lock-changed", "somebody else holds it now; nothing was changed", lock.place, fix))
    lock.break_open()
    return UnlockResult(lock.place, str(holder), freed=True)


def _lock_of(stack: StackRef, caller: Caller) -> Lock:
    from orchestrator.settings import Settings
    from orchestrator.terraform.lock_places import lock_of
    from orchestrator.workflows.contract import access_to

    settings = Settings(stack.settings, stack.environment, stack.directory)
    named, environment = settings["lock"], stack.environment
    return lock_of(
        stack.directory,
        environment,
        settings["lock-dir"],
        lock=named,
        access=lambda: access_to(stack, settings, caller),
        contract=stack.contract,
    )


def _confirm(place: str, holder: str, caller: Caller) -> None:
    text = (
        f"{place} is held by {holder}\nRelease it? If that run is alive, it will make no further change. Only "
        f"'{YES}' is accepted."
    )
    fix = "add --force if that run is dead"
    answer = caller.ask(Question(prompt="  Enter a value: ", text=text, wanted=YES, fix=fix))
    if answer is None:
        raise Invalid(Problem("approval-needed", f"the lock is held by {holder}", place, fix))
    if answer != YES:
        raise Refused(Problem("not-approved", "not approved; nothing was changed"))
