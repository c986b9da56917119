"""What becomes of what an interrupted Terraform left: decisions as tables, and what plans and states tell."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.aws.existing import FINDERS, ExistingObject
from orchestrator.terraform.leftovers import (
    Adopt,
    Leave,
    Planned,
    Tainted,
    action_for_created,
    action_for_tainted,
    actions_for_created,
    created,
    tainted,
    taints_in,
)
from orchestrator.terraform.resource_kinds import KINDS, SETTINGS

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "cases" / "leftovers"


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
    kind = case.get("kind", "aws_db_instance")
    name = case.get("name", "onyx-prod-postgres")
    wanted = {KINDS[kind].name: name} if KINDS[kind].name else {}
    inside, taken = case.get("inside", False), frozenset(case.get("taken", ()))
    one = Planned(f"{kind}.this", kind, wanted, case["planned"], inside, taken)
    several = [] if case["seen"] is None else case["seen"] if isinstance(case["seen"], list) else [case["seen"]]
    status = case.get("status", "available" if kind == "aws_db_instance" else "")
    blank = case.get("blank", False)
    seen = [ExistingObject(f"id-{n}", status, tags, blank) for n, tags in enumerate(several)]
    action = action_for_created(one, seen, case.get("stack", ""))
    assert (action and type(action).__name__) == case["action"]
    if isinstance(action, Adopt):
        assert action.command == f"terraform import {kind}.this id-0"
    if isinstance(action, Leave):
        assert action.fix


def test_what_two_could_be_is_nobodys() -> None:
    seen = [ExistingObject("eipalloc-1", tags={"Stack": "onyx-prod"})]
    two = [Planned(f"aws_eip.this[{n}]", "aws_eip", {}, {"Stack": "onyx-prod"}) for n in (0, 1)]
    first, second = actions_for_created([(one, seen) for one in two], "onyx-prod")
    assert isinstance(first, Leave)
    assert "aws_eip.this[1]" in first.because
    assert isinstance(second, Leave)
    assert "terraform import 'aws_eip.this[1]' eipalloc-1" in second.fix


def test_what_two_kinds_are_called_is_no_claim_of_two() -> None:
    """A role and its instance profile, a cache and its subnet group: named alike, and both left behind."""
    kinds = ("aws_elasticache_replication_group", "aws_elasticache_subnet_group")
    seen = [ExistingObject("onyx-prod-redis", "available", {"Stack": "onyx-prod"})]
    both = [
        (Planned(f"{kind}.this", kind, {KINDS[kind].name: "onyx-prod-redis"}, {"Stack": "onyx-prod"}), seen)
        for kind in kinds
    ]
    assert [type(action) for action in actions_for_created(both, "onyx-prod")] == [Adopt, Adopt]


@pytest.mark.parametrize(("kind", "inside"), [("aws_iam_role", True), ("aws_security_group", False)])
def test_a_part_s_whole_is_of_the_right_kind(kind: str, inside: bool) -> None:
    """A group of the role's name is in the state: that says nothing of the role, which may be anybody's."""
    held = {"address": f"{kind}.this", "type": kind, "mode": "managed", "values": {"id": "runner", "name": "runner"}}
    state = {"values": {"root_module": {"resources": [held]}}}
    new = change("aws_iam_role_policy.a", "aws_iam_role_policy", ["create"], {"role": "runner", "name": "a"})
    (one,) = created({"prior_state": state, "resource_changes": [new]})
    assert one.inside is inside


def test_every_kind_can_be_looked_up() -> None:
    assert KINDS.keys() == FINDERS.keys()


def test_every_kind_of_our_own_stack_is_found_again_or_made_again_to_the_same_end() -> None:
    sources = (ROOT / "terraform").rglob("*.tf")
    ours = {kind for file in sources for kind in re.findall(r'^resource "(aws_\w+)"', file.read_text(), re.MULTILINE)}
    assert ours == KINDS.keys() | SETTINGS.keys()
    assert KINDS.keys().isdisjoint(SETTINGS)


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
            change("terraform_data.this", "terraform_data", ["create"], {"name": "a"}),
        ]
    }
    assert list(created(plan)) == [Planned("aws_iam_role.a", "aws_iam_role", {"name": "a"}, {"Stack": "onyx"})]
    assert list(created({})) == []


def test_what_is_inside_of_something_unknown_can_not_be_looked_up_yet() -> None:
    new = change("aws_subnet.a", "aws_subnet", ["create"], {"cidr_block": "10.0.0.0/20"})
    new["change"]["after_unknown"] = {"vpc_id": True}
    assert list(created({"resource_changes": [new]})) == []


def test_a_plan_tells_what_is_inside_of_the_state_and_what_the_state_has_already() -> None:
    state = [
        {
            "address": "aws_vpc.this",
            "type": "aws_vpc",
            "mode": "managed",
            "values": {"id": "vpc-1", "arn": "arn:vpc-1"},
        },
        {"address": "aws_vpc.read", "type": "aws_vpc", "mode": "data", "values": {"id": "vpc-2"}},
    ]
    plan = {
        "prior_state": {"format_version": "1.0", "values": {"root_module": {"resources": state}}},
        "resource_changes": [
            change(f"aws_subnet.{n}", "aws_subnet", ["create"], {"cidr_block": "10.0.0.0/20", "vpc_id": f"vpc-{n}"})
            for n in (1, 2)
        ]
        + [change("aws_vpc.second", "aws_vpc", ["create"], {"cidr_block": "10.0.0.0/16"})],
    }
    first, second, third = created(plan)
    assert first.inside
    assert not second.inside, "somebody else's network"
    assert third.taken == {"vpc-1", "arn:vpc-1"}


def test_what_the_plan_imports_counts_as_the_state_s() -> None:
    network = change("aws_vpc.this", "aws_vpc", ["no-op"], {"id": "vpc-1"})
    network["change"]["importing"] = {"id": "vpc-1"}
    subnet = change("aws_subnet.a", "aws_subnet", ["create"], {"cidr_block": "10.0.0.0/20", "vpc_id": "vpc-1"})
    (one,) = created({"resource_changes": [network, subnet]})
    assert one.inside


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
