"""The real terraform, offline: everything stands on the built-in `terraform_data` and local-exec."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from orchestrator.errors import Refused
from orchestrator.terraform import (
    ChangeSummary,
    OutputValue,
    PlanOptions,
    StreamLine,
    Terraform,
    TerraformFailed,
)
from tests.terraform.offline import Stack, environment, left_behind, on_both, stack

__all__ = ["environment", "stack"]  # fixtures
pytestmark = pytest.mark.terraform


def apply(terraform: Terraform, options: PlanOptions | None = None) -> ChangeSummary:
    with terraform.plan(options) as plan:
        return terraform.apply(plan)


@on_both
def test_a_whole_life(stack: Stack) -> None:
    terraform = stack(
        'resource "terraform_data" "x" { input = "one" }\n'
        'output "x" { value = terraform_data.x.output }\n'
        'output "list" {\n  value = ["a"]\n  sensitive = true\n}\n'
    )
    assert terraform.version().number[:2] == "1."
    assert terraform.workspace() == "default"
    assert terraform.outputs() == {}

    said: list[StreamLine] = []
    with terraform.plan() as plan:
        assert plan.has_changes
        assert "terraform_data.x will be created" in plan.text
        assert plan.json["resource_changes"][0]["change"]["actions"] == ["create"]
        assert terraform.apply(plan, said.append) == ChangeSummary(added=1)
    hooks = [(one.kind, one.address, one.action) for one in said if one.kind in {"apply_start", "apply_complete"}]
    assert hooks == [("apply_start", "terraform_data.x", "create"), ("apply_complete", "terraform_data.x", "create")]
    assert terraform.outputs() == {
        "x": OutputValue("one", sensitive=False, type="string"),
        "list": OutputValue(["a"], sensitive=True, type=["tuple", ["string"]]),
    }
    assert terraform.state()["values"]["root_module"]["resources"][0]["address"] == "terraform_data.x"

    with terraform.plan() as plan:
        assert not plan.has_changes
        assert "No changes" in plan.text
    assert apply(terraform, PlanOptions(replaces=["terraform_data.x"])) == ChangeSummary(added=1, removed=1)
    assert apply(terraform, PlanOptions(destroy=True)) == ChangeSummary(removed=1)
    assert left_behind(terraform) == []


def test_only_the_targets_are_planned(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" { for_each = toset(["a b", "c"]) }')
    assert apply(terraform, PlanOptions(targets=['terraform_data.x["a b"]'])) == ChangeSummary(added=1)


def test_values_mean_what_they_mean_on_the_command_line(stack: Stack) -> None:
    """The same texts, once by terraform's own -var and once through our files, give the same outputs."""
    names = {"untyped": "", "text": "string", "number": "number", "flag": "bool", "any": "any"} | {
        "list": "list(string)",
        "object": "object({ a = string, b = optional(number, 3) })",
    }
    blocks = [f'variable "{name}" {{\n  {f"type = {kind}" if kind else ""}\n}}' for name, kind in names.items()]
    blocks += [f'output "{name}" {{ value = jsonencode(var.{name}) }}' for name in names]
    terraform = stack("\n".join(blocks))
    given = [
        "untyped=[1]",
        "text= [\"x\"] \\n ${y} %{ if z }\n'second' line ü # no comment",
        "number=12",
        "flag=true",
        'any={ a = ["x"] }',
        'list=["a b", "q\\"q", "ü"] # a comment',
        "object={\n  a = <<-E\n    here\n  E\n}",
    ]
    apply(terraform, PlanOptions(variables=given))
    ours = terraform.outputs()
    (terraform.directory / "terraform.tfstate").unlink()
    argv = [terraform.binary, "apply", "-auto-approve", "-input=false", *(f"-var={text}" for text in given)]
    subprocess.run(argv, cwd=terraform.directory, env=terraform.environment, check=True, capture_output=True)
    assert terraform.outputs() == ours
    assert json.loads(ours["untyped"].value) == "[1]"
    assert json.loads(ours["list"].value) == ["a b", 'q"q', "ü"]


def test_a_value_wins_over_a_file(stack: Stack) -> None:
    terraform = stack('variable "a" {}\nvariable "b" {}\noutput "both" { value = "${var.a} ${var.b}" }')
    (terraform.directory / "my values.tfvars").write_text('a = "file"\nb = "file"\n')
    apply(terraform, PlanOptions(variables=["b=given"], var_files=["my values.tfvars"]))
    assert terraform.outputs()["both"].value == "file given"


def test_a_broken_expression_names_its_variable(stack: Stack) -> None:
    terraform = stack('variable "names" { type = list(string) }\nvariable "other" { default = "kept" }')
    with pytest.raises(TerraformFailed, match=r"names\.tfvars"), terraform.plan(PlanOptions(variables=["names=[1"])):
        pass
    with pytest.raises(TerraformFailed), terraform.plan(PlanOptions(variables=['names=[]\nother = "taken"'])):
        pass
    assert left_behind(terraform) == []


@on_both
def test_ephemeral_variables_reach_apply(stack: Stack) -> None:
    terraform = stack('variable "e" {\n  type = string\n  ephemeral = true\n}\nresource "terraform_data" "x" {}')
    assert apply(terraform, PlanOptions(variables=["e=passing"])) == ChangeSummary(added=1)


def test_plan_files_are_private_and_do_not_last(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}')
    with pytest.raises(KeyboardInterrupt), terraform.plan() as plan:  # noqa: PT012 - it is about what happens inside
        assert stat.S_IMODE(plan.path.stat().st_mode) == 0o600
        assert stat.S_IMODE(plan.path.parent.stat().st_mode) == 0o700
        raise KeyboardInterrupt
    assert left_behind(terraform) == []


def test_a_plan_is_bound_to_its_file(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}')
    with terraform.plan() as plan, terraform.plan() as other:
        plan.path.write_bytes(other.path.read_bytes() + b"\0")
        with pytest.raises(Refused, match="plan-changed"):
            terraform.apply(plan)
    assert terraform.state().get("values") is None


def test_the_state_is_read_once_until_a_command_may_have_changed_it(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}')
    before = terraform.state()
    assert terraform.state() is before
    apply(terraform)
    assert terraform.state()["values"]["root_module"]["resources"][0]["address"] == "terraform_data.x"


def test_a_given_plan_file_is_used_and_kept(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}')
    file = terraform.directory / "my plan"
    with terraform.plan() as plan:
        shutil.copy(plan.path, file)
    with terraform.saved_plan(file) as given:
        assert given.has_changes
        assert "terraform_data.x" in given.text
        assert terraform.apply(given) == ChangeSummary(added=1)
    assert file.exists()
    with terraform.saved_plan(file) as stale, pytest.raises(TerraformFailed, match="plan-stale"):
        terraform.apply(stale)
    with pytest.raises(TerraformFailed):
        terraform.saved_plan(terraform.directory / "main.tf")


def test_a_saved_plan_without_changes(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}\noutput "o" { value = 1 }')
    apply(terraform)
    with terraform.plan() as plan, terraform.saved_plan(plan.path) as saved:
        assert not saved.has_changes


@on_both
def test_a_failing_apply_names_every_error(stack: Stack) -> None:
    terraform = stack(
        'resource "terraform_data" "good" {}\n'
        'resource "terraform_data" "bad" {\n  for_each = toset(["a", "b"])\n'
        '  provisioner "local-exec" { command = "echo trouble; exit 7" }\n}\n'
    )
    said: list[StreamLine] = []
    with pytest.raises(TerraformFailed) as caught, terraform.plan() as plan:
        terraform.apply(plan, said.append)
    problems = caught.value.problems
    assert {problem.code for problem in problems} == {"terraform-failed"}
    assert all("exit status 7" in problem.message and "main.tf:" in problem.context for problem in problems)
    assert sorted(problem.context.split()[0] for problem in problems) == [
        'terraform_data.bad["a"]',
        'terraform_data.bad["b"]',
    ]
    assert [one.message for one in said if one.kind == "provision_progress"].count("trouble") == 2
    assert [one.action for one in said if one.kind == "apply_errored"] == ["create", "create"]
    resources = terraform.state()["values"]["root_module"]["resources"]
    assert "terraform_data.good" in {resource["address"] for resource in resources}


def test_a_configuration_error_is_terraforms_own(stack: Stack) -> None:
    terraform = stack('output "x" { value = local.nowhere }')
    with pytest.raises(TerraformFailed, match="undeclared local value"), terraform.plan():
        pass
    assert left_behind(terraform) == []


def test_a_changed_module_is_initialised_before_the_plan(stack: Stack) -> None:
    terraform = stack('terraform {\n  backend "local" {}\n}\nresource "terraform_data" "x" {}')
    assert not terraform.init()
    module = terraform.directory / "part"
    module.mkdir()
    (module / "main.tf").write_text('resource "terraform_data" "inner" {}')
    (terraform.directory / "more.tf").write_text('module "part" { source = "./part" }')
    said: list[StreamLine] = []
    with terraform.plan(on_progress=said.append) as plan:
        assert terraform.apply(plan) == ChangeSummary(added=2)
    assert "init_output" in {one.kind for one in said}


@on_both
def test_init_tells_its_progress_and_its_errors(stack: Stack) -> None:
    lines: list[str] = []
    terraform = stack("")
    assert terraform.init(lines.append, force=True)
    assert any("initialized" in line for line in lines)
    (terraform.directory / "main.tf").write_text('module "part" { source = "./nowhere" }')
    with pytest.raises(TerraformFailed) as caught:
        terraform.init(force=True)
    assert any("main.tf:1" in problem.message for problem in caught.value.problems)


def test_arguments_meant_for_people_do_not_disturb_reading(stack: Stack) -> None:
    terraform = stack('resource "terraform_data" "x" {}\noutput "o" { value = "v" }')
    terraform.environment |= {"TF_CLI_ARGS": "-no-such-flag", "TF_CLI_ARGS_output": "-raw", "TF_CLI_ARGS_show": "-x"}
    apply(terraform)
    assert terraform.outputs()["o"].value == "v"


def test_a_wrappers_lines_are_no_obstacle(stack: Stack, tmp_path: Path) -> None:
    wrapped = stack('resource "terraform_data" "x" {}\noutput "o" { value = "v" }')
    wrapper = tmp_path / "wrapper with blanks"
    wrapper.write_text(
        f'#!/bin/sh\necho "[command]{wrapped.binary} $*"\n"{wrapped.binary}" "$@"\nstatus=$?\n'
        f'echo\necho "::debug::Terraform exited with code $status."\necho "::set-output name=exitcode::$status"\n'
        "exit $status\n"
    )
    wrapper.chmod(0o700)
    terraform = Terraform(wrapped.directory, wrapped.environment | {"TERRAFORM_BIN": str(wrapper)})
    assert terraform.binary == str(wrapper)
    assert terraform.version().number == wrapped.version().number
    assert apply(terraform) == ChangeSummary(added=1)
    assert terraform.outputs()["o"].value == "v"
    assert terraform.workspace() == "default"
    with terraform.plan() as plan:
        assert not plan.has_changes


def test_a_secret_is_masked_in_what_is_said(stack: Stack) -> None:
    terraform = stack(
        'variable "password" {\n  type = string\n  sensitive = true\n}\n'
        'resource "terraform_data" "x" {\n  provisioner "local-exec" {\n'
        '    command = "echo it is ${nonsensitive(var.password)}; exit 1"\n  }\n}\n'
    )
    said: list[StreamLine] = []
    with (
        pytest.raises(TerraformFailed) as caught,
        terraform.plan(PlanOptions(variables=["password=canary-Zq7"])) as plan,
    ):
        terraform.apply(plan, said.append)
    assert "it is ***" in [one.message for one in said]
    assert "canary-Zq7" not in f"{said} {caught.value}"
