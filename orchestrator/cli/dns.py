"""`orchestrate dns`: the hostnames' records by themselves."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from orchestrator.cli.options import Options, contract_option, dns_options

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.cli.conduct import Conductor
    from orchestrator.dns.model import Change
    from orchestrator.dns.undo import Restoration
    from orchestrator.dns.visibility import Sighting
    from orchestrator.engine.step import Verdict
    from orchestrator.errors import Outcome

STEP = "dns-records"
_APPROVE = click.option("-auto-approve", "--auto-approve", is_flag=True, help="Don't ask.")


@click.group()
def dns() -> None:
    """The DNS records of the hostnames, by themselves."""


@dns.command()
@contract_option
@dns_options
def plan(contract: str | None, **given: Any) -> None:
    """Show what would be changed, old and new, changing nothing. Exit status 6: something would, 3: it is refused."""
    from orchestrator.cli.conduct import conduct

    conduct("dns plan", _options(given), lambda conductor: _shown(conductor, _operation(conductor, contract))[0])


@dns.command()
@_APPROVE
@contract_option
@dns_options
def apply(contract: str | None, *, auto_approve: bool, **given: Any) -> None:
    """Change the records, after showing how; exactly that is changed, or nothing. Waits until they are seen."""
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Outcome

    def work(conductor: Conductor) -> Outcome:
        operation = _operation(conductor, contract)
        outcome, changes = _shown(conductor, operation)
        if changes:
            _approve(conductor, auto_approve, "Make these changes?")
        elif outcome is not Outcome.PENDING:
            return outcome
        operation.only_as_shown(changes)
        with conductor.exclusive():
            return operation.run(conductor.emit, conductor.change).outcome

    conduct("dns apply", _options(given), work, recorded=True)


@dns.command()
@click.option(
    "--ask", "servers", multiple=True, metavar="ADDRESS:PORT", help="Also ask this server [default: public resolvers]."
)
@contract_option
@dns_options
def check(contract: str | None, servers: tuple[str, ...], **given: Any) -> None:
    """Ask the zones' own name servers, then public resolvers, what the world sees. Exit status 6: not yet right."""
    from orchestrator.cli.conduct import conduct
    from orchestrator.dns.visibility import PUBLIC
    from orchestrator.errors import Outcome

    def work(conductor: Conductor) -> Outcome:
        operation = _operation(conductor, contract)
        public = servers or (() if conductor.settings["resolver"] else PUBLIC)
        seen = operation.visibility(public)
        for sighting in seen:
            conductor.emit(_sighted(sighting))
        wrong = [sighting for sighting in seen if not sighting.server and not sighting.is_right]
        return Outcome.PENDING if wrong else Outcome.SUCCEEDED

    conduct("dns check", _options(given), work)


@dns.command()
@_APPROVE
@contract_option
@dns_options
def undo(contract: str | None, *, auto_approve: bool, **given: Any) -> None:
    """Restore what our last change to each name replaced, unless somebody has changed it since."""
    from orchestrator.cli.conduct import conduct
    from orchestrator.errors import Outcome

    def work(conductor: Conductor) -> Outcome:
        operation = _operation(conductor, contract)
        operation.aws.require_account(operation.stack.account_id)
        found = operation.undoable()
        possible = [one for one in found if not one.problem]
        _show_undo(conductor, found)
        if any(one.change for one in possible):
            _approve(conductor, auto_approve, "Put these back?")
        with conductor.exclusive():
            operation.undo(possible, conductor.change)
        return Outcome.REFUSED if len(possible) < len(found) else Outcome.SUCCEEDED

    conduct("dns undo", _options(given), work, recorded=True)


def _options(given: dict[str, Any]) -> Options:
    return Options.of({**given, "only": (STEP,), "skip": ()})


def _operation(conductor: Conductor, contract: str | None) -> Operation:
    from orchestrator import app

    stack = app.contract_from(contract, conductor.terraform, conductor.environment, sys.stdin, conductor.redact.learn)
    return conductor.operation_on(stack)


def _shown(conductor: Conductor, operation: Operation) -> tuple[Outcome, frozenset[Change]]:
    """Show the plan; its outcome and its changes."""
    from orchestrator.cli.conduct import show_survey
    from orchestrator.engine.step import Blocked, Todo
    from orchestrator.errors import Outcome

    operation.verify()
    survey = operation.survey()
    outcome = show_survey(conductor, survey)
    verdicts: Iterable[Verdict] = survey[STEP].values()
    if any(isinstance(verdict, Blocked) and verdict.refused for verdict in verdicts):
        outcome = Outcome.REFUSED
    return outcome, frozenset(todo.payload.change for todo in survey[STEP].values() if isinstance(todo, Todo))


def _approve(conductor: Conductor, approved: bool, question: str) -> None:
    from orchestrator.cli.apply import approve

    approve(conductor, approved, question)


def _sighted(sighting: Sighting) -> Any:
    from orchestrator.events import FindingReported, StepDone, StepWaiting

    if sighting.server:
        return FindingReported(step="dns-check", subject=sighting.tenant, detail=str(sighting), code="dns-seen")
    kind = StepDone if sighting.is_right else StepWaiting
    return kind(step="dns-check", subject=sighting.tenant, detail=str(sighting))


def _show_undo(conductor: Conductor, found: Iterable[Restoration]) -> None:
    from orchestrator.errors import Outcome
    from orchestrator.events import FindingReported, StepDone

    nothing = True
    for one in found:
        nothing, name = False, one.entry.change.name
        if one.problem:
            conductor.fail(one.problem, Outcome.REFUSED, "dns-undo")
        elif one.change:
            made = f"would set {one.change}; we changed it at {one.entry.time}"
            conductor.emit(FindingReported(step="dns-undo", subject=name, detail=made, code="change-planned"))
        else:
            conductor.emit(StepDone(step="dns-undo", subject=name, detail="it is what it was before our change"))
    if nothing:
        conductor.text("No DNS change of this stack is recorded here: there is nothing to undo.")
