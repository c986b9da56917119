"""The hostnames' records by themselves: plan, apply, check, undo."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Outcome
from orchestrator.events import Emit, FindingReported, StepDone, StepWaiting
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.survey import show_survey

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.dns.model import Change
    from orchestrator.dns.undo import NameRestoration
    from orchestrator.dns.visibility import NameView
    from orchestrator.engine.step import Verdict

STEP = "dns-records"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsOptions:
    """Whose records; `approved`: to change them without asking."""

    tenants: Sequence[str] = ()
    adopt: bool = False
    """Replace records that aren't recognizably this stack's."""
    approved: bool = False
    servers: Sequence[str] = ()
    """ADDRESS:PORT of those to ask in a check, instead of the public resolvers."""

    @property
    def steps(self) -> StepOptions:
        """The one step that is about them."""
        return StepOptions(tenants=self.tenants, adopt=self.adopt, only=(STEP,))


def plan(
    stack: StackRef, options: DnsOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """What would be changed, old and new. `PENDING`: something would, `REFUSED`: it is refused."""

    def work(execution: Execution) -> Outcome:
        return _shown(execution, _operation(execution))[0]

    return perform("dns plan", stack, work, emit=emit, caller=caller, steps=(options or DnsOptions()).steps)


def apply(
    stack: StackRef, options: DnsOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Change the records, after showing how; exactly that is changed, or nothing. Waits until they are seen."""
    chosen = options or DnsOptions()

    def work(execution: Execution) -> Outcome:
        operation = _operation(execution)
        outcome, changes = _shown(execution, operation)
        if changes:
            approve(execution, chosen.approved, "Make these changes?")
        elif outcome is not Outcome.PENDING:
            return outcome
        operation.only_as_shown(changes)
        with execution.exclusive():
            return operation.run(execution.emit, execution.change).outcome

    return perform("dns apply", stack, work, emit=emit, caller=caller, steps=chosen.steps, recorded=True)


def check(
    stack: StackRef, options: DnsOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Ask the zones' own name servers, then public resolvers, what the world sees. `PENDING`: not yet right."""
    chosen = options or DnsOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator.dns.visibility import PUBLIC

        operation = _operation(execution)
        public = chosen.servers or (() if execution.settings["resolver"] else PUBLIC)
        seen = operation.visibility(public)
        for name_view in seen:
            execution.emit(_sighted(name_view))
        wrong = [name_view for name_view in seen if not name_view.server and not name_view.is_right]
        return Outcome.PENDING if wrong else Outcome.SUCCEEDED

    return perform("dns check", stack, work, emit=emit, caller=caller, steps=chosen.steps)


def undo(
    stack: StackRef, options: DnsOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Put back what our last change of each name replaced, unless somebody has changed it since."""
    chosen = options or DnsOptions()

    def work(execution: Execution) -> Outcome:
        operation = _operation(execution)
        operation.aws.require_account(operation.stack.account_id)
        found = operation.undoable()
        possible = [one for one in found if not one.problem]
        _show_undo(execution, found)
        if any(one.change for one in possible):
            approve(execution, chosen.approved, "Restore these records?")
        with execution.exclusive():
            operation.undo(possible, execution.change)
        return Outcome.REFUSED if len(possible) < len(found) else Outcome.SUCCEEDED

    return perform("dns undo", stack, work, emit=emit, caller=caller, steps=chosen.steps, recorded=True)


def _operation(execution: Execution) -> Operation:
    return execution.operation_on(execution.contract())


def _shown(execution: Execution, operation: Operation) -> tuple[Outcome, frozenset[Change]]:
    """Show the plan; its outcome and its changes."""
    from orchestrator.engine.step import Blocked, Todo

    operation.verify()
    survey = operation.survey()
    outcome = show_survey(execution.emit, survey)
    verdicts: Iterable[Verdict] = survey[STEP].values()
    if any(isinstance(verdict, Blocked) and verdict.refused for verdict in verdicts):
        outcome = Outcome.REFUSED
    return outcome, frozenset(todo.payload.change for todo in survey[STEP].values() if isinstance(todo, Todo))


def _sighted(name_view: NameView) -> Any:
    if name_view.server:
        return FindingReported(step="dns-check", subject=name_view.tenant, detail=str(name_view), code="dns-seen")
    kind = StepDone if name_view.is_right else StepWaiting
    return kind(step="dns-check", subject=name_view.tenant, detail=str(name_view))


def _show_undo(execution: Execution, found: Iterable[NameRestoration]) -> None:
    nothing = True
    for one in found:
        nothing, name = False, one.entry.change.name
        if one.problem:
            execution.fail(one.problem, Outcome.REFUSED, "dns-undo")
        elif one.change:
            made = f"would set {one.change}; orchestrate changed it at {one.entry.time}"
            execution.emit(FindingReported(step="dns-undo", subject=name, detail=made, code="change-planned"))
        else:
            execution.emit(
                StepDone(
                    step="dns-undo", subject=name, detail="it is already what it was before orchestrate changed it"
                )
            )
    if nothing:
        execution.text("No DNS change to this stack is recorded here: there is nothing to undo.")
