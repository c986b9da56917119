"""A variable's value as Terraform would take it: environment, terraform.tfvars, *.auto.tfvars, the last one wins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.terraform.values import value_of


def test_the_later_file_wins(tmp_path: Path) -> None:
    environment = {"TF_VAR_password": "0"}
    assert value_of("password", tmp_path, environment) == "0"
    for name, text in [
        ("terraform.tfvars", 'password = "1"\nother = "x"\n'),
        ("terraform.tfvars.json", '{"password": "2"}'),
        ("a.auto.tfvars", 'password = "3"'),
        ("b.auto.tfvars.json", '{"password": "4"}'),
        ("not-read.tfvars", 'password = "5"'),
    ]:
        before = value_of("password", tmp_path, environment)
        (tmp_path / name).write_text(text)
        after = value_of("password", tmp_path, environment)
        assert after == (before if name == "not-read.tfvars" else text.split('"')[3 if name.endswith("json") else 1])
    assert value_of("unknown", tmp_path, environment) is None


def test_quotes_and_backslashes_are_what_they_stand_for(tmp_path: Path) -> None:
    password = 'a"b\\c ü $x'
    (tmp_path / "terraform.tfvars").write_text(f"password = {json.dumps(password, ensure_ascii=False)}\n")
    assert value_of("password", tmp_path, {}) == password


@pytest.mark.parametrize("text", ["password = <<E\nx\nE\n", "password = 5", "password = [", "\x00", 'password = ["x"]'])
def test_what_is_no_plain_string_is_no_value(tmp_path: Path, text: str) -> None:
    (tmp_path / "terraform.tfvars").write_text(text)
    assert value_of("password", tmp_path, {}) is None
