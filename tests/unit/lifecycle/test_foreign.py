"""Nothing foreign is touched: over states with parts of others, what is changed is the stack's own, and only that.

What may be changed is told here a second time, in a form of its own: by Terraform's word for a part, and AWS's tag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.lifecycle import destroy, services
from orchestrator.lifecycle.backup import database_snapshot
from orchestrator.lifecycle.destroy import bucket_emptied
from orchestrator.lifecycle.pause import instances_stopped
from orchestrator.lifecycle.restore import files_returned, keys_returned
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference.owned import ending_by, ownership_of
from orchestrator.stack.ownership import PARTS as TELLING
from orchestrator.stack.ownership import Ownership, Part, PartKind, part, word
from orchestrator.steps import redeploy, redis_auth
from tests.unit.lifecycle.foreign_state import (
    BALANCER,
    BESIDE,
    BUCKET,
    CMK,
    ELSEWHERE,
    KEY,
    OTHER,
    PARTS,
    REDIS,
    SERVER,
    SERVICE,
    STACK,
    UNTOUCHED,
    VESPA,
    document,
    stack_of,
)
from tests.unit.lifecycle.foreign_world import FINAL, REVERSIBLE, WAKING, World, ran, tools_of

WORDS = st.fixed_dictionaries({one: st.sampled_from(["managed", "data", "absent"]) for one in PARTS})
TAGS = st.fixed_dictionaries({one: st.sampled_from(["", STACK, OTHER]) for one in PARTS})
MODES = st.fixed_dictionaries({one: st.sampled_from(["managed", "data", "absent"]) for one in BESIDE})
USED = st.frozensets(st.sampled_from(["db.example.com", "redis.example.com", "10.0.0.5"]))
ALL_OURS: Mapping[Part, str] = dict.fromkeys(PARTS, "managed")
NO_STATE: Mapping[Part, str] = dict.fromkeys(PARTS, "absent")


def may_change(one: Part, said: Mapping[Part, str], tags: Mapping[Part, str], *, for_good: bool) -> bool:
    """The rule, as the how-to has it."""
    if said[one] != "absent":
        return said[one] == "managed"
    if any(it == "managed" and other[0] in TELLING for other, it in said.items()):
        return False
    return tags[one] == STACK or (not tags[one] and not for_good)


def changed_by(commands: Mapping[str, Any], world: World) -> list[Part]:
    for steps in commands.values():
        ran(steps, world, tools_of(world))
    return world.changed


@settings(max_examples=120, deadline=None)
@given(WORDS, TAGS, USED, MODES)
@example(ALL_OURS, dict.fromkeys(PARTS, ""), frozenset(), {})
@example({**ALL_OURS, SERVER: "data", REDIS: "data"}, dict.fromkeys(PARTS, ""), frozenset(), {})
@example({**ALL_OURS, BUCKET: "absent"}, dict.fromkeys(PARTS, STACK), frozenset(), {})
@example({**ALL_OURS, KEY: "data"}, dict.fromkeys(PARTS, STACK), frozenset(), {})
@example({**ALL_OURS, SERVICE: "data"}, dict.fromkeys(PARTS, ""), frozenset(), dict.fromkeys(BESIDE, "managed"))
@example(NO_STATE, dict.fromkeys(PARTS, OTHER), frozenset(), dict.fromkeys(BESIDE, "managed"))
def test_never_one_change_to_what_is_somebody_elses(
    said: Mapping[Part, str], tags: Mapping[Part, str], used: frozenset[str], beside: Mapping[str, str]
) -> None:
    for commands, for_good in ((REVERSIBLE, False), (FINAL, True)):
        world = World(said, tags, used, beside=beside)
        for one in changed_by(commands, world):
            assert may_change(one, said, tags, for_good=for_good), (one, said[one], tags[one])
            assert one not in UNTOUCHED
    asleep = World(said, tags, used, asleep=True, beside=beside)
    for one in changed_by({"resume": WAKING}, asleep):
        assert may_change(one, said, tags, for_good=False), (one, said[one], tags[one])


def test_what_is_the_stacks_own_is_changed() -> None:
    """Or nothing would be shown by nothing being changed."""
    changed = {*changed_by(REVERSIBLE, World(ALL_OURS)), *changed_by(FINAL, World(ALL_OURS))}
    assert changed == PARTS.keys() - UNTOUCHED
    assert {SERVER, VESPA, SERVICE} <= set(changed_by({"resume": WAKING}, World(ALL_OURS, asleep=True)))


@pytest.mark.parametrize("command", [*REVERSIBLE, *FINAL])
def test_each_command_of_these_changes_something(command: str) -> None:
    assert changed_by({command: {**REVERSIBLE, **FINAL}[command]}, World(ALL_OURS))


@given(st.sampled_from(["managed", "data", "absent"]))
def test_a_copy_is_not_sealed_with_a_key_that_goes_with_the_stack(word_of_key: str) -> None:
    """Or nobody could open the backup; with any other key it is sealed as its original."""
    tools = tools_of(World({**ALL_OURS, CMK: word_of_key}))
    tools.keys.keep(KEY[1], "copy", {}, tools.goes)
    assert tools.sealed_with == ([""] if word_of_key == "managed" else [CMK[1]])


def test_a_service_of_the_same_name_in_another_cluster_makes_nothing_ours() -> None:
    said = {**ALL_OURS, SERVICE: "absent", ELSEWHERE: "managed"}
    changed = [*changed_by(REVERSIBLE, World(said)), *changed_by(FINAL, World(said))]
    assert changed
    assert SERVICE not in changed


@pytest.mark.parametrize("blind", ["objection", "loss"])
def test_it_would_be_noticed(blind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the one guard taken away, the property above is broken."""
    monkeypatch.setattr(Ownership, blind, lambda *_given, **_more: "")
    foreign = dict.fromkeys(PARTS, "data")
    changed = changed_by(REVERSIBLE if blind == "objection" else FINAL, World(foreign))
    assert changed
    assert not any(may_change(one, foreign, dict.fromkeys(PARTS, ""), for_good=True) for one in changed)


@pytest.mark.parametrize(
    ("room", "guard", "blind", "touched"),
    [
        (redeploy, "objections", {}, SERVICE),
        (keys_returned, "_objection", "", KEY),
        (files_returned, "_objection", "", BUCKET),
        (bucket_emptied, "objection", "", BUCKET),
        (redis_auth, "_foreign", "", REDIS),
        (services, "foreign_among", {}, SERVICE),
        (instances_stopped, "foreign", {}, VESPA),
        (database_snapshot, "objection", "", SERVER),
    ],
    ids=lambda it: it if isinstance(it, str) else getattr(it, "__name__", "").rpartition(".")[2],
)
def test_each_guard_is_missed(
    room: Any, guard: str, blind: object, touched: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, what it guards is changed though it is somebody else's: nothing else would have spared it."""
    said = {**dict.fromkeys(PARTS, "data"), SERVICE: "data" if touched == SERVICE else "managed"}
    assert touched not in changed_by({**REVERSIBLE, **FINAL}, World(said))
    monkeypatch.setattr(room, guard, lambda *_given, **_more: blind)
    assert touched in [*changed_by(REVERSIBLE, World(said)), *changed_by(FINAL, World(said))]


@pytest.mark.parametrize(
    ("used", "spared"), [("db.example.com", SERVER), ("redis.example.com", REDIS), ("10.0.0.5", VESPA)]
)
def test_what_others_use_is_not_stopped_or_barred(used: str, spared: Part) -> None:
    """Though it is the stack's own. It may be marked as paused: that stops nobody."""
    world = World(ALL_OURS, used=frozenset({used}))
    ran(REVERSIBLE["pause"], world, tools_of(world))
    ran(REVERSIBLE["redis-auth"], world, tools_of(world))
    if spared is SERVER:
        assert world.states["postgres"] == "available"
    else:
        assert spared not in world.changed
    assert world.desired == 0


def test_a_server_to_which_others_are_connected_is_not_stopped() -> None:
    """As the server itself tells."""
    world = World(ALL_OURS, strangers=("3 sessions of bi in database reports",))
    report = ran(REVERSIBLE["pause"], world, tools_of(world))
    assert world.states["postgres"] == "available"
    assert report.outcome.word == "succeeded"


def test_what_the_plan_doesn_t_destroy_is_not_lost() -> None:
    """A `removed` block takes it out of the state, and leaves it where it is."""
    plan = {
        "resource_changes": [
            {
                "address": "a",
                "mode": "managed",
                "type": "aws_s3_bucket",
                "change": {"actions": ["forget"], "before": {"bucket": "files"}},
            },
            {
                "address": "b",
                "mode": "managed",
                "type": "aws_alb",
                "change": {"actions": ["delete"], "before": {"arn": BALANCER}},
            },
        ]
    }
    world = World(ALL_OURS)
    tools = tools_of(world)
    tools.stack = stack_of(ALL_OURS).losing(ending_by(plan))
    ran(destroy.BEFORE, world, tools)
    assert set(world.changed) == {(PartKind.BALANCER, BALANCER)}


def test_what_the_operator_calls_the_stacks_own_is_its_own() -> None:
    said = {**ALL_OURS, BUCKET: "data"}
    world = World(said)
    tools = tools_of(world)
    tools.stack = stack_of(said).naming([word(*BUCKET)])
    ran(destroy.BEFORE, world, tools)
    assert BUCKET in world.changed


def test_an_objection_says_whose_it_is_or_that_nobody_knows() -> None:
    shared = ownership_of(states.read(document({**ALL_OURS, SERVER: "data", BUCKET: "absent"})))
    assert "data.aws_db_instance.0" in shared.objection(*SERVER, STACK)
    assert "onyx-prod-2" in shared.objection(*SERVER, STACK, {"Stack": OTHER})
    assert "onyx-prod-2" in shared.objection(*BUCKET, STACK, {"Stack": OTHER})
    assert "not known" in shared.objection(*BUCKET, STACK)
    assert shared.objection(*REDIS, STACK, {"Stack": OTHER}) == "", (
        "what the state manages is ours, whatever it is tagged"
    )


def test_a_parts_word_is_read_back() -> None:
    assert all(part(word(*one)) == one for one in PARTS)
    assert part("bucket:") is None
    assert part("cloud:nine") is None


def test_a_state_tells_the_customers_keys_whoever_made_them() -> None:
    key, alias = "arn:aws:kms:us-west-2:123456789012:key/0a", "arn:aws:kms:us-west-2:123456789012:alias/aws/s3"
    found = [
        {"type": "aws_kms_key", "mode": "managed", "values": {"arn": key}},
        {"type": "aws_kms_alias", "mode": "data", "values": {"name": "alias/shared", "target_key_arn": f"{key}b"}},
        {"type": "aws_kms_alias", "mode": "data", "values": {"name": "alias/aws/s3", "target_key_arn": alias}},
    ]
    resources = [{**one, "address": str(number)} for number, one in enumerate(found)]
    state = states.read({"format_version": "1.0", "values": {"root_module": {"resources": resources}}})
    assert ownership_of(state).keys == {key, f"{key}b"}
