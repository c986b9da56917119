import stat
from pathlib import Path

import pytest

from orchestrator.errors import Invalid, Outcome
from orchestrator.terraform import Terraform, TerraformFailed
from orchestrator.terraform.binary import Version, find, judge
from orchestrator.terraform.command import FLAG, build, environment_for
from orchestrator.terraform.readiness import needs_init


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("verb", "options", "arguments", "expected"),
    [
        ("version", {"json": FLAG}, (), ["version", "-json"]),
        ("workspace show", {}, (), ["workspace", "show"]),
        ("apply", {"input": False, "json": FLAG}, ("a plan",), ["apply", "-input=false", "-json", "a plan"]),
        (
            "plan",
            {"target": ['m["a b"].x', "y"], "detailed_exitcode": FLAG, "destroy": None, "var_file": ("one",)},
            ("-parallelism=2",),
            ["plan", '-target=m["a b"].x', "-target=y", "-detailed-exitcode", "-var-file=one", "-parallelism=2"],
        ),
    ],
)
def test_command_lines(verb: str, options: dict[str, object], arguments: tuple[str, ...], expected: list[str]) -> None:
    assert build("/opt/my tools/tofu", verb, options, arguments) == ["/opt/my tools/tofu", *expected]


def test_values_never_go_to_a_file_that_nobody_deletes() -> None:
    with pytest.raises(TypeError, match="mapping"):
        build("terraform", "plan", {"var": {"a": "b"}})


@pytest.mark.parametrize(
    ("verb", "kept"),
    [("output", set()), ("show", set()), ("plan", {"TF_CLI_ARGS_plan"}), ("init", {"TF_CLI_ARGS_init"})],
)
def test_only_the_verbs_own_arguments_are_kept(verb: str, kept: set[str]) -> None:
    given = {"TF_CLI_ARGS": "-x", "TF_CLI_ARGS_plan": "-y", "TF_CLI_ARGS_init": "-z", "TF_CLI_ARGS_output": "-o"}
    environment = environment_for(verb, {**given, "TF_VAR_a": "b", "HOME": "/h", "TF_INPUT": "1"})
    assert {name for name in environment if name.startswith("TF_CLI_ARGS")} == kept
    assert environment["TF_VAR_a"] == "b"
    assert environment["TF_INPUT"] == "0"
    assert environment["TF_IN_AUTOMATION"] == environment["CHECKPOINT_DISABLE"] == "1"


def test_the_program_is_sought_where_the_environment_says(tmp_path: Path) -> None:
    tofu = program(tmp_path / "one" / "tofu")
    path = f"{tmp_path / 'one'}:{tmp_path / 'two'}"
    assert find({"PATH": path}) == str(tofu)
    terraform = program(tmp_path / "two" / "terraform")
    assert find({"PATH": path}) == str(terraform)
    assert find({"PATH": path, "TERRAFORM_BIN": "tofu"}) == str(tofu)
    other = program(tmp_path / "else where" / "tf 1.12")
    assert find({"PATH": path, "TERRAFORM_BIN": str(other)}) == str(other)


@pytest.mark.parametrize("environment", [{}, {"TERRAFORM_BIN": "nowhere/terraform"}])
def test_a_missing_program_has_a_fix(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        Terraform(tmp_path, {"PATH": str(tmp_path), **environment}).version()
    (problem,) = caught.value.problems
    assert problem.code == "terraform-missing"
    assert "TERRAFORM_BIN" in problem.fix


@pytest.mark.parametrize("number", ["1.11.0", "1.11.4", "1.12.0-beta1", "2.0.0"])
def test_new_enough(number: str) -> None:
    assert judge("/bin/tofu", {"terraform_version": number}) == Version("tofu", number)
    assert judge("/bin/terraform", {"terraform_version": number}).product == "terraform"


@pytest.mark.parametrize("answer", [{"terraform_version": "1.10.9"}, {"terraform_version": "0.15.5"}, {}])
def test_too_old(answer: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        judge("/bin/terraform", answer)
    assert [problem.code for problem in caught.value.problems] == ["terraform-too-old"]
    assert caught.value.outcome is Outcome.INVALID


def test_an_old_program_is_asked_and_refused(tmp_path: Path) -> None:
    fake = program(tmp_path / "terraform", 'test "$*" = \'version -json\' && echo \'{"terraform_version": "1.5.7"}\'')
    with pytest.raises(Invalid, match=r"1\.5\.7"):
        Terraform(tmp_path, {"PATH": "/usr/bin:/bin", "TERRAFORM_BIN": str(fake)}).version()


def test_a_program_that_answers_nonsense(tmp_path: Path) -> None:
    fake = program(tmp_path / "terraform", "echo hello")
    with pytest.raises(TerraformFailed, match="terraform-unreadable"):
        Terraform(tmp_path, {"PATH": "/usr/bin:/bin", "TERRAFORM_BIN": str(fake)}).version()


LOCK = """
provider "registry.terraform.io/hashicorp/aws" {
  version     = "5.100.0"
  constraints = "~> 5.100"
}
"""


def test_a_directory_needs_init_until_its_providers_are_there(tmp_path: Path) -> None:
    assert "never" in needs_init(tmp_path, {})
    (tmp_path / ".terraform").mkdir()
    assert needs_init(tmp_path, {}) == ""
    (tmp_path / ".terraform.lock.hcl").write_text(LOCK)
    assert "hashicorp/aws 5.100.0" in needs_init(tmp_path, {})
    (tmp_path / ".terraform/providers/registry.terraform.io/hashicorp/aws/5.100.0").mkdir(parents=True)
    assert needs_init(tmp_path, {}) == ""
    (tmp_path / ".terraform.lock.hcl").write_text(LOCK.replace("5.100.0", "5.101.0"))
    assert "5.101.0" in needs_init(tmp_path, {})
    assert "never" in needs_init(tmp_path, {"TF_DATA_DIR": "elsewhere"})
