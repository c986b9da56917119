"""What Terraform says while it works, of kinds that we know and of others, as a person sees it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.events import Event, ResourceProgress, StepDone, StepWaiting
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


OPENTOFU = "; ".join(
    [
        r's/"terraform":/"tofu":/',
        r"s/Terraform v\?\([0-9]\)/OpenTofu \1/",
        r"s/terraform\.ui/tofu.ui/",
        r"s/terraform\.io/opentofu.org/g",
    ]
)
"""Terraform's stream and documents in OpenTofu's words.

Source: OpenTofu's "Machine-Readable UI" and "JSON Output Format", which name no other difference.
"""


def applied_by(program: Path, terraform: Terraform) -> list[Event]:
    """Plan and apply with another program; all that was said."""
    told: list[Event] = []
    directory, environ = terraform.directory, {**terraform.environment, "TERRAFORM_BIN": str(program)}
    execution = Execution("apply", StackRef(directory, environ), told.append, Caller(), StepOptions())
    other = Terraform(directory, environ)
    with planning.planned(execution, other, PlanOptions(), None) as plan:
        planning.execute(execution, other, plan)
    return told


@pytest.mark.terraform
def test_opentofus_words_are_understood(stack: Stack, tmp_path: Path) -> None:
    terraform = stack('resource "terraform_data" "x" {}\noutput "x" { value = "one" }\n')
    tofu = tmp_path / "tofu"
    tofu.write_text(f"#!/bin/bash\nset -o pipefail\n{terraform.binary} \"$@\" | sed '{OPENTOFU}'\n")
    tofu.chmod(0o755)
    told = applied_by(tofu, terraform)
    assert [one.detail for one in told if isinstance(one, StepDone)] == ["1 added, 0 changed, 0 destroyed"]
    other = Terraform(terraform.directory, {**terraform.environment, "TERRAFORM_BIN": str(tofu)})
    assert other.version().product == "tofu"
    assert terraform.outputs()["x"].value == "one"


@pytest.mark.terraform
def test_a_kind_that_is_not_known_is_shown_and_nothing_is_shown_twice(stack: Stack, tmp_path: Path) -> None:
    terraform = stack('resource "terraform_data" "x" {}\n')
    newer = tmp_path / "newer-terraform"
    says = "".join(f"{verb}) printf '%s\\n' '{json.dumps(line)}';;\n" for verb, line in NEWER.items())
    newer.write_text(f'#!/bin/sh\ncase "$1" in\n{says}esac\nexec {terraform.binary} "$@"\n')
    newer.chmod(0o755)
    told = applied_by(newer, terraform)
    said = [one.detail for one in told if isinstance(one, StepWaiting)]
    assert said[:2] == ["planning", "deferred_change"]
    assert said[2] == "Action started: action.aws_lambda_invoke.warm"
    assert len([one for one in said if "terraform_data.x" in one]) == 1
    counted = [(one.address, one.state, one.done, one.total) for one in told if isinstance(one, ResourceProgress)]
    assert counted == [("terraform_data.x", "started", 0, 1), ("terraform_data.x", "done", 1, 1)]
