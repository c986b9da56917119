"""Every kind of search index does the same to the same end: on an instance of the local cloud, over its SSM."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.errors import Transient
from tests.conformance.indexes import KINDS, PlacedOnInstance
from tests.local.ssm.conftest import World, world
from tests.waiting import until

__all__ = ["world"]


@pytest.fixture(scope="module", params=sorted(KINDS))
def placed(request: pytest.FixtureRequest, world: World) -> PlacedOnInstance:
    made = KINDS[request.param](world)
    until("it is healthy", lambda: made.seen().healthy)
    return made


def test_it_is_seen_as_it_is(placed: PlacedOnInstance) -> None:
    seen = placed.seen()
    assert (seen.dockerd, seen.state, seen.healthy, seen.pulled, seen.booting) == (True, "running", True, True, False)
    assert seen.image.startswith(placed.kind.image)
    assert set(placed.kind.ports(placed.server)) == set(seen.ports)
    assert placed.kind.running(placed.shell, placed.server)


def test_its_documents_are_counted_and_told_apart(placed: PlacedOnInstance) -> None:
    placed.put("one", text="a")
    placed.put("two", text="b")
    first = placed.contents()
    assert (first.documents, placed.seen().documents) == (2, 2)
    assert first.digest
    placed.put("two", text="c")
    other = placed.contents()
    assert other.documents == 2
    assert other.digest != first.digest
    placed.put("two", text="b")
    assert placed.contents() == first, "whatever the order"


def test_stopped_and_started_it_holds_what_it_held(placed: PlacedOnInstance) -> None:
    placed.put("kept", text="k")
    before = placed.contents()
    placed.kind.stop(placed.shell, placed.server)
    seen = placed.seen()
    assert (seen.state, seen.healthy, seen.documents) == ("exited", False, None)
    assert not placed.kind.running(placed.shell, placed.server)
    with pytest.raises(Transient):
        placed.kind.contents(placed.shell, placed.server)
    placed.kind.start(placed.shell, placed.server)
    assert placed.contents() == before


def test_a_container_that_is_gone_is_made_again_by_its_recipe(placed: PlacedOnInstance) -> None:
    placed.put("kept", text="k")
    before = placed.contents()
    placed.run(f"docker rm -f {placed.kind.name}")
    assert placed.seen().state == "absent"
    words = placed.kind.recipe(placed.user_data)
    assert not isinstance(words, str)
    placed.run(shlex.join(words))
    assert placed.contents() == before
    until("it is healthy", lambda: placed.seen().healthy)


def test_what_it_wrote_can_be_read(placed: PlacedOnInstance) -> None:
    placed.kind.stop(placed.shell, placed.server)
    placed.kind.start(placed.shell, placed.server)
    said = placed.kind.logs(placed.shell, {"a": placed.server}, datetime.now(UTC) - timedelta(hours=1))["a"]
    assert isinstance(said, list)
    assert [text for at, text in said if at and text]


def test_no_secret_is_in_what_ssm_remembers(placed: PlacedOnInstance, world: World) -> None:
    before = {one["CommandId"] for one in world.ssm.list_commands(MaxResults=50)["Commands"]}
    placed.seen()
    placed.contents()
    ours = [one for one in world.ssm.list_commands(MaxResults=50)["Commands"] if one["CommandId"] not in before]
    assert ours
    assert "Str0ng" not in str(ours)
