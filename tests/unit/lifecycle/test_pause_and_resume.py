"""Pause and resume, the real steps on a stack in memory: what they leave, killed at any change, after meddling."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.aws.autoscaling import ALL, Scaling, Suspension
from orchestrator.errors import Outcome
from tests.unit.lifecycle.pausable_world import World, paused, resumed, survived, sweep


def three() -> World:
    """Desired 1, 3 and 7; two scale by themselves, one of them under load."""
    return World(
        {"a": 1, "b": 3, "c": 7},
        {"b": Scaling(2, 4), "c": Scaling(5, 9, Suspension(scale_in=True))},
        pressed=frozenset({"b"}),
    )


def test_killed_before_and_after_each_change_it_ends_as_if_it_had_not_been() -> None:
    assert sweep(three) > 40


def test_nothing_comes_back_while_it_is_paused() -> None:
    world = three()
    survived(paused, world, ())
    for _ in range(20):
        world.pass_by()
    assert world.rests


def test_twice_changes_nothing() -> None:
    world = three()
    assert survived(paused, world, ()) > 0
    assert survived(paused, world, ()) == 0
    assert survived(resumed, world, ()) > 0
    assert survived(resumed, world, ()) == 0


def test_an_instance_that_ec2_stops_again_is_said_and_started_once_its_key_is_lent() -> None:
    world = three()
    survived(paused, world, ())
    world.sealed = frozenset({"b"})
    report = resumed(world.revive())
    assert report.outcome is Outcome.FAILED
    ended = report.endings["instances-started"]
    assert ended["b"].problem is not None
    assert ended["b"].problem.code == "instance-not-startable"
    assert ended["c"].outcome is Outcome.SUCCEEDED, "nobody else waits for it"
    world.sealed = frozenset()
    survived(resumed, world, ())
    assert world.lasting == three().lasting


@st.composite
def services(draw: st.DrawFn) -> World:
    desired = {name: draw(st.sampled_from([0, 1, 3, 7])) for name in ("a", "b", "c")}
    scaling = {}
    for name, count in desired.items():
        if draw(st.booleans()):
            limits = (draw(st.integers(0, max(count, 2))), draw(st.integers(max(count, 2), 9)))
            scaling[name] = Scaling(*limits, Suspension(*(draw(st.booleans()) for _ in range(3))))
    pressed = frozenset(name for name in scaling if desired[name] >= scaling[name].minimum and draw(st.booleans()))
    return World(desired, scaling, pressed, replicas=draw(st.sampled_from([(), ("db-2",)])))


kills = st.lists(st.tuples(st.integers(1, 20), st.booleans()), max_size=4)


@settings(max_examples=150, deadline=None)
@given(services(), kills, kills)
def test_whatever_it_was_it_comes_back(
    world: World, pauses: list[tuple[int, bool]], resumes: list[tuple[int, bool]]
) -> None:
    before = world.lasting
    survived(paused, world, pauses)
    assert world.rests
    survived(resumed, world, resumes)
    assert world.lasting == before


def test_what_was_changed_by_hand_meanwhile_counts() -> None:
    world = three()
    survived(paused, world, ())
    world.desired["a"] = 2
    world.scaling["c"] = replace(world.scaling["c"], minimum=8)
    survived(resumed, world, ())
    assert world.desired == {"a": 2, "b": 3, "c": 8}
    assert world.scaling == {"b": Scaling(2, 4), "c": Scaling(8, 9, Suspension(scale_in=True))}


def test_paused_again_after_a_count_was_raised_by_hand() -> None:
    world = three()
    survived(paused, world, ())
    world.desired["a"] = 2
    world.pass_by()
    survived(paused, world, ())
    assert world.rests
    survived(resumed, world, ())
    assert world.desired == {"a": 2, "b": 3, "c": 7}


def test_one_tenant_s_pause_stops_its_service_and_nothing_else() -> None:
    world = three()
    before = world.lasting
    assert paused(world, tenants=["c"]).outcome is Outcome.SUCCEEDED
    assert world.desired == {"a": 1, "b": 3, "c": 0}
    assert (world.database, set(world.machines.values())) == ("available", {"running"})
    assert world.scaling["c"].suspended == ALL
    survived(resumed, world, ())
    assert world.lasting == before


def test_one_tenant_s_pause_stops_all_of_its_services_and_a_resume_starts_them() -> None:
    world = World({"a": 1, "a/background": 2, "b": 3}, machines={"a": "running", "b": "running"})
    before = world.lasting
    assert paused(world, tenants=["a"]).outcome is Outcome.SUCCEEDED
    assert world.desired == {"a": 0, "a/background": 0, "b": 3}
    survived(resumed, world, ())
    assert (world.desired, world.lasting) == ({"a": 1, "a/background": 2, "b": 3}, before)


def test_one_tenant_s_resume_starts_what_all_share_and_leaves_the_others_paused() -> None:
    world = three()
    before = world.lasting
    survived(paused, world, ())
    assert resumed(world, tenants=["b"]).outcome is Outcome.SUCCEEDED
    assert world.desired == {"a": 0, "b": 3, "c": 0}
    assert world.machines == {"a": "running", "b": "running", "c": "stopped"}
    survived(resumed, world, ())
    assert world.lasting == before


def test_what_a_service_uses_that_doesn_t_stop_is_left_to_it() -> None:
    world = replace(three(), stuck=frozenset({"c"}))
    report = paused(world)
    assert report.endings["services-at-zero"]["c"].outcome is Outcome.TIMED_OUT
    assert report.outcome is Outcome.FAILED
    assert (world.database, set(world.machines.values())) == ("available", {"running"})
    world.stuck = frozenset()
    survived(paused, world, ())
    assert world.rests


@pytest.mark.parametrize("status", ["available", "starting"])
def test_kept_paused_stops_a_server_that_rds_has_started(status: str) -> None:
    world = three()
    survived(paused, world, ())
    world.database = status
    report = paused(world, kept=True)
    assert report.outcome is Outcome.SUCCEEDED
    assert world.database == "stopped"
    assert paused(world, kept=True).changed == 0


def test_kept_paused_stops_nothing_under_a_service_that_somebody_has_started() -> None:
    world = three()
    survived(paused, world, ())
    world.database, world.desired["a"] = "available", 1
    assert paused(world, kept=True).outcome is Outcome.FAILED
    assert world.database == "available"
