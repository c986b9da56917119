"""A directory without Terraform may hold its stack's contract."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrator.app.understanding import understand
from orchestrator.errors import Invalid
from tests.unit.stack.test_contract import good


class Nothing(SimpleNamespace):
    """Terraform of a directory where nothing was applied."""

    def outputs(self) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, Any]:
        return {}


def told(directory: Path) -> Any:
    terraform: Any = Nothing(directory=directory, environment={})
    return understand(terraform)


def test_it_is_the_contract(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(good()))
    inferred = told(tmp_path)
    assert inferred.require().stack == "onyx-prod"
    assert {one.source for one in inferred.found.values()} == {str(tmp_path / "contract.json")}


@pytest.mark.parametrize("name", ["main.tf", "main.tf.json", ".terraform", "terraform.tfstate"])
def test_where_terraform_is_it_is_asked(tmp_path: Path, name: str) -> None:
    (tmp_path / "contract.json").write_text(json.dumps(good()))
    (tmp_path / name).write_text("")
    assert told(tmp_path) is None


def test_what_is_no_contract_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "contract.json").write_text("{}")
    with pytest.raises(Invalid) as caught:
        told(tmp_path)
    assert all("contract.json" in problem.context for problem in caught.value.problems)
