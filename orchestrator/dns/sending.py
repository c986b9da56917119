"""What was made of a plan that was sent: all of it, or some of it, each failure by its change."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.dns.model import Change, ZonePlan
from orchestrator.errors import Expired, Interrupted, OrchestratorError, PartlyFailed, Transient


class SubmittedInPart(PartlyFailed):
    """Some of a plan's changes were not made; `failures` is by the changes' names, `ticket` is for the others."""

    def __init__(self, failures: Mapping[str, OrchestratorError], ticket: str) -> None:
        super().__init__(failures)
        self.ticket = ticket


def receipt(plan: ZonePlan, failures: Mapping[str, OrchestratorError], ticket: str = "") -> str:
    """The ticket of a plan that was sent. Raises `SubmittedInPart`; of a plan of one change, that one's own error."""
    if failures and len(plan.changes) == 1:
        raise next(iter(failures.values()))
    if failures:
        raise SubmittedInPart(failures, ticket)
    return ticket


def one_by_one(plan: ZonePlan, make: Callable[[Change], object]) -> Mapping[str, OrchestratorError]:
    """Make each change of a provider that knows no batches; the failures, by the changes' names.

    Where it did not answer for two changes in a row (each after all its patience), it is down: the rest is not sent.
    """
    failures: dict[str, OrchestratorError] = {}
    silent: list[Transient] = []
    for change in plan.changes:
        if len(silent) > 1:
            failures[change.name] = silent[-1]
            continue
        try:
            make(change)
            silent = []
        except (Interrupted, Expired):
            raise
        except Transient as error:
            silent.append(error)
            failures[change.name] = error
        except OrchestratorError as error:
            silent = []
            failures[change.name] = error
    return failures
