"""The checklists, before it hurts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.errors import Outcome
from orchestrator.events import Emit
from orchestrator.terraform import PlanOptions
from orchestrator.workflows.caller import Caller, StackRef, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.planning import initialise, planned, prepare

if TYPE_CHECKING:
    from orchestrator.preflight import Checklist, Evidence, Remark, RunningStack
    from orchestrator.terraform import Plan, Terraform


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightOptions:
    """`planfile`: a plan, or what `terraform show -json` said of a plan or a state (then nothing else is read)."""

    planfile: Path | None = None
    destroy: bool = False
    """The list before a destroy, instead of those around an apply."""
    live: bool = True
    """Look at the running stack too, where there is one."""
    everything: bool = False
    """People too are told each point."""
    terraform: PlanOptions = field(default_factory=PlanOptions)


def preflight(
    stack: StackRef, options: PreflightOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Go through the guide's checklists, and what they forgot. `REFUSED` when something speaks against applying."""
    chosen = options or PreflightOptions()

    def work(execution: Execution) -> Outcome:
        from orchestrator import __version__
        from orchestrator.app import checklist
        from orchestrator.events import RunStarted

        evidence = _evidence(execution, chosen)
        if execution.operation is None:
            execution.emit(RunStarted(stack=evidence.tenancy.stack, command="preflight", version=__version__))
        occasions = checklist.DESTROYING if chosen.destroy else checklist.DEPLOYING
        remarks = checklist.examine(evidence, execution.directory, execution.terraform_data, occasions)
        report(execution, remarks, everything=chosen.everything)
        refusal = checklist.refusal(remarks)
        if refusal:
            raise refusal
        return Outcome.SUCCEEDED

    return perform("preflight", stack, work, emit=emit, caller=caller)


def _evidence(execution: Execution, options: PreflightOptions) -> Evidence:
    from orchestrator.app import checklist

    planfile = options.planfile
    said = checklist.document(planfile) if planfile else None
    if said is not None:
        return judged(execution, said)
    terraform = prepare(execution)
    initialise(execution, terraform)
    seen = _look(execution, terraform) if options.live else None
    if options.destroy:
        return judged(execution, terraform.state(), seen)
    with planned(execution, terraform, options.terraform, str(planfile) if planfile else None) as plan:
        # Where nothing changes, the state says all that the plan doesn't know, and what is live is about it.
        return judged(execution, plan.json) if plan.has_changes else judged(execution, terraform.state(), seen)


def judged(execution: Execution, said: Mapping[str, Any], live: RunningStack | None = None) -> Evidence:
    """A document of Terraform's as evidence, with what orchestrate.toml says of the stack."""
    from orchestrator.app import checklist
    from orchestrator.aws.quotas import Quotas
    from orchestrator.aws.session import Aws
    from orchestrator.settings import contract_table

    evidence = checklist.evidence_of(said, live, contract_table(execution.directory))
    return checklist.with_quotas(
        evidence, lambda: Quotas(Aws(evidence.region, execution.access).client("service-quotas"))
    )


def _look(execution: Execution, terraform: Terraform) -> RunningStack | None:
    from orchestrator import app
    from orchestrator.errors import Invalid

    try:
        stack = app.contract_of_outputs(terraform, execution.redact.learn)
    except Invalid as unclear:
        execution.text("The running stack is not inspected, because it can't be identified:")
        for problem in unclear.problems:
            execution.text(f"  {problem}")
        return None
    if stack is None:
        return None
    operation = execution.operation_on(stack)
    operation.aws.require_account(stack.account_id)
    return app.checklist.look(operation)


def report(execution: Execution, remarks: tuple[Remark, ...], *, everything: bool) -> None:
    """Say what was found; for people without what passed, and what isn't known yet in one line."""
    from orchestrator.app import checklist
    from orchestrator.preflight import Status

    shown = tuple(checklist.condensed(remarks)) if execution.for_people else remarks
    if everything or not execution.for_people:
        checklist.tell(shown, execution.emit, everything=True)
        return
    checklist.tell(
        [one for one in shown if one.status in (Status.FAILED, Status.MANUAL)], execution.emit, everything=True
    )
    for line in checklist.summary(remarks):
        execution.text(line)


def before_apply(execution: Execution, plan: Plan) -> bool:
    """The same inside an apply: blockers and warnings are shown, blockers refuse. Whether some points have to wait."""
    from orchestrator.app import checklist

    return _stop_at_blockers(execution, judged(execution, plan.json), checklist.occasions(plan.json))


def after_apply(execution: Execution, terraform: Terraform) -> None:
    """What the plan could not tell: blockers end it before anybody waits for a rollout that can't succeed."""
    from orchestrator.preflight import Checklist

    _stop_at_blockers(execution, judged(execution, terraform.state()), (Checklist.DEPLOY,))


def _stop_at_blockers(execution: Execution, evidence: Evidence, occasions: Collection[Checklist]) -> bool:
    from orchestrator.app import checklist

    remarks = checklist.examine(evidence, execution.directory, execution.terraform_data, occasions)
    shown = tuple(checklist.condensed(remarks)) if execution.for_people else remarks
    checklist.tell(shown, execution.emit, everything=False)
    refusal = checklist.refusal(remarks)
    if refusal:
        raise refusal
    return bool(checklist.not_known(remarks))
