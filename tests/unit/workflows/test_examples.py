"""The examples of docs/how-to/use-on-your-stack.md, answered as they are written there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from orchestrator.workflows.caller import StackRef
from orchestrator.workflows.init import init
from tests import states
from tests.terraform.recorded import stood

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "use-on-your-stack.md"
EXAMPLE = re.compile(r"^\*\*[^*]+\*\* \(`([a-z0-9-]+)`\).*?```json\n(.*?)```", re.MULTILINE | re.DOTALL)
EXAMPLES = {name: json.loads(text) for name, text in EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))}


def test_there_are_three() -> None:
    assert set(EXAMPLES) == {"django-on-aurora", "laravel-by-path", "postgres-on-ec2"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_answers_make_the_contract_definite(name: str, tmp_path: Path) -> None:
    stack = stood(tmp_path, states.document(name, "state"))
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(EXAMPLES[name]))
    understood = init(StackRef(stack.directory, stack.environment), answers_file=file)
    written: dict[str, Any] = tomllib.loads(stack.file.read_text())["contract"]
    assert {key: value for key, value in written.items() if key != "stack"} == EXAMPLES[name]
    known = understood.inferred.require()
    assert {"django-on-aurora": "cluster", "laravel-by-path": "instance", "postgres-on-ec2": "elsewhere"}[name] == (
        known.database.kind
    )
    assert len(known.tenants) == 1
    (tenant,) = known.tenants.values()
    assert tenant.health_path in ("/healthz/", "/up", "/healthz")
