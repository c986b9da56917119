import json
import stat
from pathlib import Path

import pytest

from orchestrator.errors import Invalid
from orchestrator.terraform.plan import PlanOptions
from orchestrator.terraform.variables import Declaration, Declarations, read_declarations, sort, split, write

CONFIGURATION = """
# variable "commented" { type = list(string) }
variable "untyped" { default = "x" }
variable "text" {
  type        = string
  description = <<-EOT
    Braces } and ${ templates } and type = list(string)
  EOT
  validation {
    condition     = can(regex("^[a-z]{2,}$", var.text))
    error_message = "Not ${var.text}, with \\"quotes\\" and }."
  }
}
variable "count_of" { type = number }
variable "anything" { type = any }
variable "names" { type = list(string) }
variable "tenants" {
  type = map(object({
    hostname = string
    size     = optional(number, 1)
  }))
}
variable "hidden" {
  type      = string
  sensitive = true
}
variable "passing" {
  type      = string
  ephemeral = true
}
variable "db_password" { type = string }
"""


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], {}),
        (["a=1", "b=x=y"], {"a": "1", "b": "x=y"}),
        (["a=1", "a=2"], {"a": "2"}),
        ([" a = 1"], {"a": " 1"}),
        (["a="], {"a": ""}),
        (['a=line\nbreak "ü"'], {"a": 'line\nbreak "ü"'}),
    ],
)
def test_names_and_values(given: list[str], expected: dict[str, str]) -> None:
    assert split(given) == expected


def test_malformed_values_are_named_together_without_their_text() -> None:
    with pytest.raises(Invalid) as caught:
        split(["hunter22", "ok=1", "=hunter22", "../x=hunter22", "bytes=hunter22\udcff"])
    assert [problem.code for problem in caught.value.problems] == ["variable-malformed"] * 4
    assert "hunter22" not in str(caught.value)


def test_declarations_are_read(tmp_path: Path) -> None:
    (tmp_path / "variables.tf").write_text(CONFIGURATION)
    names = [
        "commented",
        "untyped",
        "text",
        "count_of",
        "anything",
        "names",
        "tenants",
        "hidden",
        "passing",
        "db_password",
    ]
    declared = read_declarations(tmp_path, names)
    assert declared.complete
    kinds = {name: (known.type.split("(")[0], known.secret) for name, known in declared.known.items()}
    assert kinds == {
        "untyped": ("", False),
        "text": ("string", False),
        "count_of": ("number", False),
        "anything": ("any", False),
        "names": ("list", False),
        "tenants": ("map", False),
        "hidden": ("string", True),
        "passing": ("string", True),
        "db_password": ("string", True),
    }


def test_an_override_has_the_last_word(tmp_path: Path) -> None:
    (tmp_path / "a_override.tf").write_text('variable "x" { type = list(string) }')
    (tmp_path / "b.tf").write_text('variable "x" { type = string }')
    assert read_declarations(tmp_path, ["x"]).known == {"x": Declaration("x", "list(string)")}


def test_json_configuration(tmp_path: Path) -> None:
    blocks = {"variable": {"x": {"type": "list(string)", "sensitive": True}, "y": {}}}
    (tmp_path / "main.tf.json").write_text(json.dumps(blocks))
    known = read_declarations(tmp_path, ["x", "y"]).known
    assert known == {"x": Declaration("x", "list(string)", secret=True), "y": Declaration("y")}


def test_a_file_that_cannot_be_read_leaves_the_names_open(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('variable "x" { type = ')
    declared = read_declarations(tmp_path, ["x"])
    assert declared == Declarations({}, complete=False)
    values = sort({"x": " [1]", "y": "plain", "my_token": "abcd"}, declared)
    assert values.expression == {"x": " [1]"}
    assert values.literal == {"y": "plain", "my_token": "abcd"}
    assert list(values.secrets) == ["abcd"]


def test_undeclared_names_are_refused_without_their_values() -> None:
    with pytest.raises(Invalid) as caught:
        sort({"a": "hunter22", "b": "hunter22", "c": "1"}, Declarations({"c": Declaration("c")}))
    assert [problem.context for problem in caught.value.problems] == ["-var a", "-var b"]
    assert {problem.code for problem in caught.value.problems} == {"undeclared-variable"}
    assert "hunter22" not in str(caught.value)


def test_the_strings_of_a_secret_expression_are_secret() -> None:
    declared = Declarations({"x": Declaration("x", "map(string)", secret=True)})
    assert list(sort({"x": '{ a = "one" }'}, declared).secrets) == ['{ a = "one" }', "one"]


def test_files_are_the_owners_alone(tmp_path: Path) -> None:
    declared = Declarations({"a": Declaration("a"), "b": Declaration("b", "list(string)")})
    files = write(sort({"a": 'x"${y}', "b": "[1] # one"}, declared), tmp_path)
    assert [file.name for file in files] == ["literal.tfvars.json", "b.tfvars"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert json.loads(files[0].read_text()) == {"a": 'x"${y}'}
    assert files[1].read_text() == "b = ([1] # one\n)\n"


def test_no_values_need_no_files(tmp_path: Path) -> None:
    assert write(sort({}, Declarations({})), tmp_path) == []


def test_plan_options_do_not_show_values() -> None:
    assert "hunter22" not in repr(PlanOptions(variables=["a=hunter22"]))


@pytest.mark.parametrize("flag", ["-var=a=hunter22", "--out=x", "-json", "-var-file=x"])
def test_flags_that_are_ours_are_not_passed_on(flag: str) -> None:
    with pytest.raises(Invalid) as caught:
        PlanOptions(extra=["-parallelism=5", flag])
    assert [problem.code for problem in caught.value.problems] == ["option-taken"]
    assert "hunter22" not in str(caught.value)
