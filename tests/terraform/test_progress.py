"""What Terraform says while it works, of kinds that we know and of others, as a person sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.events import Event, ResourceProgress, StepWaiting
from orchestrator.terraform import PlanOptions, Terraform
from orchestrator.workflows import planning
from orchestrator.workflows.caller import Caller, StackRef, StepOptions
from orchestrator.workflows.execution import Execution
from tests.terraform.offline import Stack, environment, stack

__all__ = ["environment", "stack"]  # fixtures

NEWER = {
    "plan": {"@level": "info", "@message": "", "type": "deferred_change"},
    "apply": {"@level": "info", "@message": "Action started: action.aws_lambda_invoke.warm", "type": "action_start"},
}
"""Of Terraform 1.14 and later."""


@pytest.mark.terraform
def test_a_kind_that_is_not_known_is_shown_and_nothing_is_shown_twice(stack: Stack, tmp_path: Path) -> None:
    terraform = stack('resource "terraform_data" "x" {}\n')
    newer = tmp_path / "newer-terraform"
    says = "".join(f"{verb}) printf '%s\\n' '{json.dumps(line)}';;\n" for verb, line in NEWER.items())
    newer.write_text(f'#!/bin/sh\ncase "$1" in\n{says}esac\nexec {terraform.binary} "$@"\n')
    newer.chmod(0o755)
    told: list[Event] = []
    directory, environ = terraform.directory, {**terraform.environment, "TERRAFORM_BIN": str(newer)}
    execution = Execution("apply", StackRef(directory, environ), told.append, Caller(), StepOptions())
    newer_terraform = Terraform(directory, environ)
    with planning.planned(execution, newer_terraform, PlanOptions(), None) as plan:
        planning.execute(execution, newer_terraform, plan)
    said = [one.detail for one in told if isinstance(one, StepWaiting)]
    assert said[:2] == ["planning", "deferred_change"]
    assert said[2] == "Action started: action.aws_lambda_invoke.warm"
    assert len([one for one in said if "terraform_data.x" in one]) == 1
    counted = [(one.address, one.state, one.done, one.total) for one in told if isinstance(one, ResourceProgress)]
    assert counted == [("terraform_data.x", "started", 0, 1), ("terraform_data.x", "done", 1, 1)]
