"""Whatever wrote the files: states of other formats are one clear problem, a byte order mark is none."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from orchestrator.app import mapping_file
from orchestrator.errors import Invalid
from orchestrator.stack.blueprint import resources as states
from orchestrator.terraform import values
from tests.unit.stack.inference.test_states import DATABASE, with_these

BOM = "\ufeff"


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"version": 3, "modules": []}, "version 3"),
        ({"version": 4, "resources": [], "serial": 7}, "version 4"),
        ({"format_version": "2.0", "values": {}}, "format 2.0"),
    ],
)
def test_a_state_of_another_format_is_refused_with_the_way_on(document: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says) as raised:
        states.read(document)
    (problem,) = raised.value.problems
    assert problem.code == "state-format-unknown"
    assert problem.fix


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.9"])
def test_the_formats_of_every_terraform_since_0_12_are_read(version: str) -> None:
    document = {**with_these(variables=DATABASE), "format_version": version}
    assert "aws_ecs_cluster.main" in states.read(document).by_address


@pytest.mark.parametrize("document", [{}, {"format_version": "1.0"}])
def test_nothing_applied_is_no_resource(document: Any) -> None:
    assert list(states.read(document).everything()) == []


def test_a_byte_order_mark_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "orchestrate.toml").write_text(f"{BOM}poll = 3\n", encoding="utf-8")
    assert mapping_file.text_with(tmp_path, {"stack": "shop"}).startswith("poll = 3\n")
    (tmp_path / "terraform.tfvars").write_text(f'{BOM}db_password = "not-a-secret"\n', encoding="utf-8")
    assert values.value_of("db_password", tmp_path, {}) == "not-a-secret"


def test_a_new_file_names_its_schema_for_editors(tmp_path: Path) -> None:
    file = mapping_file.write(tmp_path, mapping_file.text_with(tmp_path, {"stack": "shop"}))
    line, _, _ = file.read_text().partition("\n")
    named = tmp_path / line.removeprefix("#:schema ")
    jsonschema.Draft202012Validator(json.loads(named.read_text())).validate(tomllib.loads(file.read_text()))
    again = mapping_file.text_with(tmp_path, {"stack": "other"})
    assert again.count("#:schema") == 1
