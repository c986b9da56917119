"""What the kit deletes is what terraform/ makes, and nothing before it knows that it made it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from filelock import FileLock

from orchestrator.local.stories.demo.stage import StoryError
from tests.smoke import folder, kinds, remains
from tests.smoke.account import Account
from tests.smoke.folder import Plan
from tests.smoke.kinds import Kind, Stack
from tests.smoke.remains import Sweep

TERRAFORM = Path(__file__).parents[3] / "terraform"
PLAN = Plan("smoke", "abcde", "123456789012", "us-west-2", None, None)
STACK = Stack(Account(boto3.Session(region_name="us-west-2"), "123456789012", ""), "smoke-abcde", "smoke", "abcde", "")


def test_every_resource_of_the_configuration_is_of_a_kind() -> None:
    made = {
        kind
        for file in TERRAFORM.rglob("*.tf")
        for kind in re.findall(r'^resource "(aws_\w+)"', file.read_text(), re.MULTILINE)
    }
    assert len(made) > 20
    assert made - {kind for one in kinds.KINDS for kind in one.covers} == set()


class World:
    """Things that can be deleted once nothing needs them any more."""

    def __init__(self, **needed_by: list[str]) -> None:
        self.things = dict(needed_by)

    def kind(self, name: str) -> Kind:
        return Kind(name, lambda _stack: [name] if name in self.things else [], self.end)

    def end(self, _stack: Stack, name: str) -> None:
        if any(user in self.things for user in self.things[name]):
            raise ClientError({"Error": {"Code": "DependencyViolation", "Message": "in use"}}, "Delete")
        del self.things[name]


def sweep(monkeypatch: pytest.MonkeyPatch, world: World) -> tuple[list[str], list[str]]:
    monkeypatch.setattr(remains, "KINDS", [world.kind(name) for name in list(world.things)])
    said: list[str] = []
    return Sweep(STACK, said.append).until_nothing_is_left(0.5, 0.02), said


def test_what_is_in_use_is_deleted_at_a_later_look(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(network=["subnet"], subnet=["database"], database=[])
    assert sweep(monkeypatch, world) == (
        [],
        ["deleted: database database", "deleted: subnet subnet", "deleted: network network"],
    )


def test_what_stays_is_told_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(network=["stranger"], stranger=["stranger"])
    left, _ = sweep(monkeypatch, world)
    assert left == [
        "network network (DependencyViolation: in use)",
        "stranger stranger (DependencyViolation: in use)",
    ]


def test_a_run_is_known_by_its_folder_until_nothing_is_left(tmp_path: Path) -> None:
    assert folder.earlier(tmp_path, PLAN.account) == []
    place = folder.begun(tmp_path, PLAN)
    assert folder.earlier(tmp_path, PLAN.account) == [(place, PLAN)]
    assert folder.earlier(tmp_path, "210987654321") == []
    folder.forget(place)
    assert folder.earlier(tmp_path, PLAN.account) == []


def test_a_living_run_is_no_dead_one(tmp_path: Path) -> None:
    with (
        FileLock(tmp_path / ".lock"),
        pytest.raises(StoryError, match="another run is at work"),
        folder.alone(tmp_path),
    ):
        pytest.fail("two at once")
    with folder.alone(tmp_path):
        pass


def names(found: list[str]) -> Any:
    return kinds._ours(STACK, found)


def test_a_name_that_only_begins_alike_is_anothers() -> None:
    found = ["smoke-abcde-postgres", "smoke-abcdef-postgres", "smoke-abcde", "smoke-abcde/redis-1", "smoke-postgres"]
    assert names(found) == ["smoke-abcde-postgres", "smoke-abcde/redis-1"]
