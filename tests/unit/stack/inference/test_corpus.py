"""Every stack of the corpus: its contract with provenance, or what is open, as expected.json says.

In it `@ADDRESS.ATTRIBUTE` stands for what the state says there: ids are others each time the corpus is made.
`answers` is the table `[contract]`; `questions` are those left without it.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Any

import pytest

from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.contract import parse
from orchestrator.stack.inference import Inferred, infer
from orchestrator.stack.inference.mapping import dotted, read
from tests import corpus


def understood(stack: str, table: dict[str, Any]) -> Inferred:
    document = corpus.document(stack, "state")
    state = states.read(document)
    return infer(state, read(table, "orchestrate.toml", outputs=states.outputs_of(document), state=state))


def resolved(value: Any, state: states.Resources) -> Any:
    if isinstance(value, dict):
        return {key: resolved(inner, state) for key, inner in value.items()}
    if isinstance(value, str) and value.startswith("@"):
        address, _, path = value[1:].rpartition(".")
        found: Any = state.by_address[address].values
        for name in path.split("/"):
            found = found[int(name)] if name.isdigit() else found[name]
        return found
    return value


def flat(value: Any, above: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {above: value}
    return {
        key: one
        for name, inner in value.items()
        for key, one in flat(inner, f"{above}.{name}" * bool(above) or name).items()
    }


@pytest.mark.parametrize("stack", corpus.STACKS)
def test_what_is_open_is_asked(stack: str) -> None:
    expected = corpus.document(stack, "expected")
    seen = understood(stack, {})
    assert {dotted(one.key): [option.label.split(" = ")[0] for option in one.options] for one in seen.questions} == (
        expected.get("questions", {})
    )
    assert [[one.code, one.context] for one in seen.problems] == expected.get("problems", [])
    begin = expected.get("remarks", [])
    assert [said[: len(start)] for said, start in zip_longest(seen.remarks, begin, fillvalue="")] == begin
    assert (seen.stack is not None) == (not expected.get("questions") and not expected.get("problems"))


@pytest.mark.parametrize("stack", [name for name in corpus.STACKS if "contract" in corpus.document(name, "expected")])
def test_the_contract_and_where_it_is_from(stack: str) -> None:
    expected = corpus.document(stack, "expected")
    seen = understood(stack, expected.get("answers", {}))
    made = seen.require().model_dump(mode="json", by_alias=True, exclude_none=True)
    assert made == resolved(expected["contract"], states.read(corpus.document(stack, "state")))
    sources = {dotted(key): one.source for key, one in seen.found.items()}
    for key, value in flat(expected["contract"]).items():
        if isinstance(value, str) and value.startswith("@"):
            assert sources[key].startswith(f"{value[1:].rpartition('.')[0]}: "), key
    assert {dotted(key): one.source for key, one in seen.found.items() if one.value == "***"} == (
        expected.get("passwords", {})
    )


def test_a_hundred_tenants() -> None:
    stack = understood("hundred-tenants", {}).require()
    numbers = [f"t{number:02d}" for number in range(100)]
    assert {name: (one.hostname, one.database, one.role) for name, one in stack.tenants.items()} == {
        f"onyx-{number}": (f"{number}.vigilon.app", f"onyx_{number}", f"onyx_{number}") for number in numbers
    }
    passwords = [one.password.get_secret_value() for one in stack.tenants.values() if one.password]
    assert passwords == [f"obviously-fake-{number}-password" for number in numbers]
    assert stack.runner is not None
    assert {one.instance_id for one in stack.vespa.values()} == {stack.runner.instance_id}


def test_what_is_inferred_of_ours_is_what_its_output_says() -> None:
    expected = corpus.document("ours", "expected")
    made = understood("ours", expected["answers"]).require().model_dump(mode="json", by_alias=True, exclude_none=True)
    said = states.outputs_of(corpus.document("ours", "state"))["orchestrator"]
    said = parse(said, "output").model_dump(mode="json", by_alias=True, exclude_none=True)
    for contract in (made, said):
        # A state knows no name of a tenant, and nobody's TTL.
        names = {name: one["service"] for name, one in contract["tenants"].items()}
        for part in ("tenants", "vespa"):
            contract[part] = {names[name]: one for name, one in contract[part].items()}
        del contract["dns"]["ttl"]
    assert made == said


@pytest.mark.parametrize("stack", corpus.STACKS)
def test_no_password_is_in_anything_that_is_said(stack: str) -> None:
    seen = understood(stack, corpus.document(stack, "expected").get("answers", {}))
    assert not re.search("obviously-fake", repr(seen) + str(seen.questions) + "".join(map(str, seen.problems)))
    if seen.stack is not None:
        assert "obviously-fake" not in seen.stack.model_dump_json()


@pytest.mark.parametrize(
    "table",
    [
        {"cluster": {"resource": 'aws_ecs_cluster.this["production"]'}},
        {"cluster": "onyx-production"},
    ],
)
def test_a_part_is_chosen_by_address_or_by_what_it_is_called(table: dict[str, Any]) -> None:
    stack = understood("several-clusters", table).require()
    assert (stack.cluster, stack.database.instance) == ("onyx-production", "onyx-production")
    assert stack.tenants["onyx-production"].hostname == "production.vigilon.app"


def test_a_runner_is_chosen_by_its_id() -> None:
    state = states.read(corpus.document("count-tenants", "state"))
    for instance in state.of("aws_instance"):
        table = {"runner": {"instance_id": instance.values["id"]}}
        seen = understood("count-tenants", table)
        assert seen.require().runner is not None
        assert seen.found["runner", "instance_id"].source == "orchestrate.toml"


def test_a_choice_that_is_none_of_the_options_is_a_problem() -> None:
    seen = understood("several-clusters", {"cluster": {"resource": 'aws_db_instance.this["production"]'}})
    assert [one.code for one in seen.problems] == ["mapping-resource-unfit"]
    assert 'aws_ecs_cluster.this["staging"]' in seen.problems[0].fix
    seen = understood("flat-outputs", {"runner": {"resource": "aws_lb.main"}})
    assert [one.code for one in seen.problems] == ["mapping-resource-unfit"]
