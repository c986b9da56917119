"""Services to 0, database server and instances stopped; the data stay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.errors import Invalid, Outcome, Problem
from orchestrator.events import Emit
from orchestrator.workflows.approval import approve
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.survey import show_survey

if TYPE_CHECKING:
    from orchestrator.app import Pausing


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOptions(StepOptions):
    """With `tenants`, only their services are stopped."""

    keep_paused: bool = False
    """Of a paused stack: stop the database server that RDS has started. Asks nothing; not with `tenants`."""
    approved: bool = False


def pause(
    stack: StackRef, options: PauseOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Stop what is billed by the hour and can be stopped. What the services were is remembered on them."""
    chosen = options or PauseOptions()

    def work(execution: Execution) -> Outcome:
        if chosen.keep_paused and chosen.tenants:
            message = "--keep-paused is about the database server, which all tenants share"
            raise Invalid(Problem("keep-paused-of-a-tenant", message, "--keep-paused, --tenant", "leave out --tenant"))
        with execution.exclusive():
            pausing = _pausing(execution, kept=chosen.keep_paused)
            if chosen.keep_paused:
                return _keep(execution, pausing)
            return _pause(execution, pausing, approved=chosen.approved)

    return perform("pause", stack, work, emit=emit, caller=caller, steps=chosen, recorded=not chosen.keep_paused)


def _pausing(execution: Execution, *, kept: bool) -> Pausing:
    from orchestrator import app

    kind = partial(app.Pausing, who=execution.caller.who, kept=kept)
    pausing = execution.undertake(kind, execution.contract())
    pausing.verify()
    return pausing


def _keep(execution: Execution, pausing: Pausing) -> Outcome:
    """Asked for every hour, so what finds nothing to do leaves no record, and nobody is notified."""
    from orchestrator import app
    from orchestrator.events import StepDone

    if app.pause_state_of(pausing.stack, pausing.aws).whole is None:
        execution.emit(StepDone(step="pause", detail="the stack is not paused: there is nothing to keep"))
        return Outcome.SUCCEEDED
    if show_survey(execution.emit, pausing.preview()) is Outcome.SUCCEEDED:
        return Outcome.SUCCEEDED
    if not execution.nested:
        execution.record()
    return pausing.run(execution.emit, execution.change).outcome


def _pause(execution: Execution, pausing: Pausing, *, approved: bool) -> Outcome:
    if show_survey(execution.emit, pausing.preview()) is Outcome.SUCCEEDED:
        execution.text("Already paused: nothing to do.")
        return Outcome.SUCCEEDED
    _say_costs(execution, pausing)
    whole = not execution.steps.tenants
    approve(execution, approved, "Pause this stack?" if whole else "Stop these services?")
    return pausing.run(execution.emit, execution.change).outcome


def _say_costs(execution: Execution, pausing: Pausing) -> None:
    """Nothing depends on it: where it can't be made, that is said."""
    from orchestrator.errors import OrchestratorError
    from orchestrator.events import FindingReported

    try:
        estimate = pausing.estimate()
    except OrchestratorError as error:
        problem = error.problems[0]
        said = f"no cost estimate: {problem.message}"
        execution.emit(FindingReported(step="pause", detail=said, code=problem.code, fix=problem.fix))
        return
    execution.emit(
        FindingReported(
            step="pause",
            detail=str(estimate),
            code="cost-estimate",
            severity="info",
            cause="ElastiCache can't be stopped; load balancer, NAT gateway, addresses and storage cost as before",
            evidence=tuple(map(str, estimate.lines)),
            saves=f"{estimate.running - estimate.paused:.2f}",
            fix=f"see your bill: traffic, logs, S3 and backups are not included ({estimate.source})",
        )
    )
