"""What becomes of what an interrupted Terraform left: decisions as tables, and what plans and states tell."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.aws.existing import _FINDERS, ExistingObject
from orchestrator.terraform.leftovers import (
    KINDS,
    Adopt,
    Leave,
    Planned,
    Tainted,
    action_for_created,
    action_for_tainted,
    created,
    tainted,
    taints_in,
)

CASES = Path(__file__).parents[2] / "cases" / "leftovers"


def cases(name: str) -> list[Any]:
    return [pytest.param(one, id=one["case"]) for one in json.loads((CASES / f"{name}.json").read_text())]


@pytest.mark.parametrize("case", cases("tainted"))
def test_tainted(case: dict[str, Any]) -> None:
    more = {name: case[name] for name in ("cut_off", "from_snapshot") if name in case}
    one = Tainted("module.a.thing.this[0]", case["kind"], "name", **more)
    seen = None if case["seen"] is None else ExistingObject("name", case["seen"])
    action = action_for_tainted(one, seen)
    assert (action and type(action).__name__) == case["action"]
    if isinstance(action, Leave):
        assert "terraform untaint 'module.a.thing.this[0]'" in action.fix


@pytest.mark.parametrize("case", cases("created"))
def test_created(case: dict[str, Any]) -> None:
    one = Planned("aws_db_instance.this", "aws_db_instance", "onyx-prod-postgres", case["planned"])
    seen = None if case["seen"] is None else ExistingObject("its-id", case.get("status", "available"), case["seen"])
    action = action_for_created(one, seen, case.get("stack", ""))
    assert (action and type(action).__name__) == case["action"]
    if isinstance(action, Adopt):
        assert action.command == "terraform import aws_db_instance.this its-id"
    if isinstance(action, Leave):
        assert "terraform import aws_db_instance.this its-id" in action.fix


def test_every_kind_can_be_looked_up() -> None:
    assert KINDS.keys() == _FINDERS.keys()


def change(
    address: str, kind: str, actions: list[str], after: dict[str, Any] | None, reason: str = ""
) -> dict[str, Any]:
    return {
        "address": address,
        "type": kind,
        "change": {"actions": actions, "after": after},
        **({"action_reason": reason} if reason else {}),
    }


TAINTED = "replace_because_tainted"


def test_a_plan_tells_what_it_replaces_for_a_taint() -> None:
    plan = {
        "resource_changes": [
            change("aws_db_instance.a", "aws_db_instance", ["delete", "create"], {}, TAINTED),
            change("aws_db_instance.b", "aws_db_instance", ["delete", "create"], {}, "replace_because_cannot_update"),
            change("aws_lb.asked", "aws_lb", ["delete", "create"], {}, TAINTED),
            change("terraform_data.hook", "terraform_data", ["delete", "create"], {}, TAINTED),
        ]
    }
    assert taints_in(plan, ["aws_lb.asked"]) == {"aws_db_instance.a"}


def test_a_plan_tells_what_it_creates_under_a_known_name() -> None:
    plan = {
        "resource_changes": [
            change("aws_iam_role.a", "aws_iam_role", ["create"], {"name": "a", "tags_all": {"Stack": "onyx"}}),
            change("aws_iam_role.drawn", "aws_iam_role", ["create"], {"name_prefix": "a"}),
            change("aws_iam_role.kept", "aws_iam_role", ["no-op"], {"name": "kept"}),
            change("aws_iam_role.again", "aws_iam_role", ["delete", "create"], {"name": "again"}),
            change("aws_instance.this", "aws_instance", ["create"], {"id": "i-1"}),
            change("terraform_data.this", "terraform_data", ["create"], {"name": "a"}),
        ]
    }
    assert list(created(plan)) == [Planned("aws_iam_role.a", "aws_iam_role", "a", {"Stack": "onyx"})]
    assert list(created({})) == []


def test_a_state_tells_whether_a_create_came_to_its_end() -> None:
    def held(name: str, **values: Any) -> dict[str, Any]:
        whole = {"address": f"aws_db_instance.{name}", "type": "aws_db_instance", "tainted": True}
        return whole | {"values": {"identifier": name, **values}}

    below = {"resources": [held("cut", arn=None), held("not-asked")]}
    modules = {
        "resources": [held("whole", arn="arn:x"), held("born", snapshot_identifier="s")],
        "child_modules": [below],
    }
    asked = [f"aws_db_instance.{name}" for name in ("cut", "whole", "born")]
    found = {one.name: (one.cut_off, one.from_snapshot) for one in tainted({"values": {"root_module": modules}}, asked)}
    assert found == {"cut": (True, False), "whole": (False, False), "born": (True, True)}
    assert list(tainted({}, asked)) == []
