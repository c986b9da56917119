from typing import Any

import pytest

from orchestrator.stack.blueprint.changes import does_anything

NO_OP = {"change": {"actions": ["no-op"]}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"applyable": True}, True),
        ({"applyable": False, "resource_changes": [{"change": {"actions": ["create"]}}]}, False),
        ({}, False),
        ({"resource_changes": [NO_OP], "output_changes": {"o": {"actions": ["no-op"]}}}, False),
        ({"resource_changes": [NO_OP, {"change": {"actions": ["delete", "create"]}}]}, True),
        ({"resource_changes": [NO_OP | {"previous_address": "a.b"}]}, True),
        ({"output_changes": {"o": {"actions": ["update"]}}}, True),
    ],
)
def test_whether_there_is_something_to_apply(facts: dict[str, Any], expected: bool) -> None:
    assert does_anything(facts) is expected
