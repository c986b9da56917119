"""TF_DATA_DIR in each of its forms: relative to the directory, absolute, empty (as if it were not set)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.stack.blueprint.places import Places
from orchestrator.stack.blueprint.resources import Resource
from orchestrator.terraform.readiness import needs_init

MAIN = 'resource "aws_db_instance" "main" {\n}\n'
IN_MODULE = Resource("module.store.aws_db_instance.main", "aws_db_instance", "main", "module.store")


@pytest.mark.parametrize("form", ["", ".terraform", "data", "../beside", "ABSOLUTE"])
def test_the_folder_is_found_in_each_form(form: str, tmp_path: Path) -> None:
    directory = tmp_path / "stack"
    directory.mkdir()
    said = str(tmp_path / "elsewhere") if form == "ABSOLUTE" else form
    assert needs_init(directory, {"TF_DATA_DIR": said}) == "the directory was never initialized"
    (directory / (said or ".terraform")).mkdir()
    assert needs_init(directory, {"TF_DATA_DIR": said}) == ""


@pytest.mark.parametrize(
    ("listed", "place"),
    [
        ({"Modules": [{"Key": "store", "Source": "./mod", "Dir": "mod"}]}, "mod/main.tf:1"),
        ({"Modules": [{"Key": "store", "Source": "x/y/aws", "Version": "5.1.0", "Dir": "../mod"}]}, "../mod/main.tf:1"),
        ({"Modules": [{"Key": "store", "Dir": "ABSOLUTE"}], "Version": 9}, "ABSOLUTE/main.tf:1"),
        ({"Modules": [{"Key": "store"}]}, ""),
        ({"Modules": [{"Dir": "mod"}, "store", None]}, ""),
        ({"Modules": {"store": "mod"}}, ""),
        ({"Modules": [{"Key": ["store"], "Dir": 7}]}, ""),
        ({"Modules": [{"Key": "store", "Dir": "gone\u0000"}]}, ""),
        ({}, ""),
        ([], ""),
        ("modules", ""),
        (None, ""),
    ],
    ids=lambda one: json.dumps(one)[:60],
)
def test_modules_of_any_form_give_a_place_or_none(listed: object, place: str, tmp_path: Path) -> None:
    directory, outside = tmp_path / "stack", tmp_path / "mod"
    for folder in (directory / "mod", outside, directory / "data" / "modules"):
        folder.mkdir(parents=True)
    for folder in (directory / "mod", outside):
        (folder / "main.tf").write_text(MAIN)
    text = json.dumps(listed).replace("ABSOLUTE", str(outside))
    (directory / "data" / "modules" / "modules.json").write_text(text)
    found = Places(directory, directory / "data").of(IN_MODULE)
    assert found == place.replace("ABSOLUTE", str(outside))


def test_without_a_list_of_modules_the_roots_own_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text(MAIN)
    assert Places(tmp_path).of(Resource("aws_db_instance.main", "aws_db_instance", "main")) == "main.tf:1"
    assert Places(tmp_path).of(IN_MODULE) == ""
