"""What must not happen unless a person wants it."""

from __future__ import annotations

from orchestrator.errors import Problem, Refused
from orchestrator.workflows.caller import Question
from orchestrator.workflows.execution import Execution

YES = "yes"


def approve(execution: Execution, approved: bool, question: str = "Apply this plan, and run the steps?") -> None:
    """Ask, unless it was said before. Raises `Refused` for a no, `Invalid` where nobody can answer."""
    if approved:
        return
    asked = Question(
        prompt="  Enter a value: ",
        text=f"{question} Only '{YES}' is accepted.",
        wanted=YES,
        fix="add --auto-approve, or apply a plan file",
    )
    if execution.ask(asked) != YES:
        raise Refused(Problem("not-approved", f"not approved; {execution.so_far}", "", "answer 'yes' if you mean it"))
