"""Whatever a state lacks or says oddly: a contract, a question or a problem, never a traceback, never a password."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference import infer
from orchestrator.stack.inference.infer import as_problem
from orchestrator.stack.inference.mapping import read
from tests import corpus

STATES = {name: corpus.document(name, "state") for name in ("flat-outputs", "one-tenant", "registry-module", "nested")}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [None, "", [], {}, 0, True, "x", "arn:aws:ecs", ":", "*", ["x"], [None], [{}], "{", "null", "[1]"]
)


def resources(module: dict[str, Any]) -> Iterator[tuple[list[Any], int]]:
    listed = module.get("resources", [])
    yield from ((listed, number) for number in range(len(listed)))
    for child in module.get("child_modules", []):
        yield from resources(child)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_state(data: st.DataObject) -> None:
    document = copy.deepcopy(STATES[data.draw(st.sampled_from(sorted(STATES)))])
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(resources(document["values"]["root_module"]))
        listed, number = places[data.draw(st.integers(0, len(places) - 1))]
        if data.draw(st.booleans()):
            del listed[number]
        elif values := listed[number]["values"]:
            values[data.draw(st.sampled_from(sorted(values)))] = data.draw(ODD)
    state = states.read(document)
    seen = infer(state, read({}, "orchestrate.toml", outputs=states.outputs_of(document), state=state))
    said = [*seen.problems, *map(as_problem, seen.questions)]
    assert (seen.stack is None) == bool(said)
    assert all(one.code and one.message and one.context and one.fix for one in said)
    assert "obviously-fake" not in repr(seen)


def test_no_state_at_all() -> None:
    state = states.read({"format_version": "1.0"})
    seen = infer(state, read({}, "orchestrate.toml", outputs={}, state=state))
    assert [as_problem(one).code for one in seen.questions] == ["contract-incomplete"]
