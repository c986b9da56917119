"""Reading Terraform's JSON: values and what is unknown of them, where values come from, where resources are written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.errors import Invalid
from orchestrator.stack.blueprint import UNKNOWN, changes_of, of_plan, of_state
from orchestrator.stack.blueprint.places import Places
from orchestrator.stack.blueprint.references import readers, sources, targets
from orchestrator.stack.blueprint.resources import Resource, merged
from tests.documents import reading

TASKS = 'module.tenant["customer-a"].aws_ecs_task_definition.this'


def test_a_value_is_known_unknown_or_absent() -> None:
    resource = Resource(
        "aws_x.y",
        "aws_x",
        "y",
        values={"a": 1, "block": [{"path": "/"}]},
        unknown={"b": True, "block": [{"port": True}]},
    )
    assert resource.get("a") == 1
    assert resource.get("b") is UNKNOWN
    assert resource.get("b", 0, "deeper") is UNKNOWN
    assert resource.get("c") is None
    assert resource.get("block") == [{"path": "/", "port": UNKNOWN}]
    assert resource.get("block", 0, "port") is UNKNOWN
    assert resource.get("block", 5, "port") is None
    assert resource.text("b") == ""


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(values)
def test_what_is_wholly_known_stays_as_it_is(value: Any) -> None:
    assert merged(value, False) == value
    assert merged(value, {}) == value
    assert merged(value, True) is UNKNOWN


@given(st.dictionaries(st.text(min_size=1, max_size=3), st.integers(), min_size=1), st.data())
def test_exactly_what_is_marked_is_unknown(value: dict[str, int], data: st.DataObject) -> None:
    marked = data.draw(st.sets(st.sampled_from(sorted(value))))
    seen = merged({key: inner for key, inner in value.items() if key not in marked}, dict.fromkeys(marked, True))
    assert {key for key, inner in seen.items() if inner is UNKNOWN} == marked


def test_references_lead_through_modules_and_locals() -> None:
    blueprint = of_plan(reading.plan("demo"))
    met = {(one.type, one.attribute) for one in sources(blueprint, blueprint.resources[TASKS], "container_definitions")}
    assert ("aws_db_instance", "address") in met
    assert ("aws_db_instance", "endpoint") not in met


def test_what_a_resource_names_is_found_before_it_exists() -> None:
    blueprint = of_plan(reading.plan("demo"))
    service = blueprint.resources['module.tenant["customer-a"].aws_ecs_service.this']
    assert [one.address for one in targets(blueprint, service, "aws_ecs_task_definition", "task_definition").sure] == [
        TASKS
    ]
    rule = blueprint.resources['module.tenant["customer-a"].aws_vpc_security_group_ingress_rule.from_tasks["vespa"]']
    met = targets(blueprint, rule, "aws_security_group", "security_group_id")
    assert met.sure == ()  # one of four groups, and only the apply shows which
    assert 'module.vespa["customer-a"].aws_security_group.this' in {one.address for one in met.maybe}


def test_a_rename_is_no_change() -> None:
    assert list(changes_of(reading.plan("moved"))) == []
    assert list(changes_of(reading.plan("unchanged"))) == []


@pytest.mark.parametrize(
    "document", [{}, {"version": 4, "resources": []}, {"format_version": "1.0", "resource_changes": []}]
)
def test_what_is_no_state_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        of_state(document)
    assert refused.value.problems[0].code == "terraform-json-unreadable"


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(Invalid):
        of_plan(reading.state("demo"))


def test_an_empty_state_is_an_empty_stack() -> None:
    assert of_state({"format_version": "1.0"}).resources == {}


def test_places_follow_terraform_s_own_list_of_modules(tmp_path: Path) -> None:
    (tmp_path / ".terraform" / "modules").mkdir(parents=True)
    said = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "a.b", "Dir": ".terraform/modules/a/nested"}]}
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(json.dumps(said))
    nested = tmp_path / ".terraform" / "modules" / "a" / "nested"
    nested.mkdir(parents=True)
    (nested / "main.tf").write_text('# resource "aws_lb" "this" {\n\n  resource "aws_lb" "this" {\n}\n')
    (nested / "broken.tf").write_bytes(b"\xff\xfe")
    places = Places(tmp_path)
    lb = Resource('module.a["x"].module.b[0].aws_lb.this', "aws_lb", "this", 'module.a["x"].module.b[0]')
    assert places.of(lb) == ".terraform/modules/a/nested/main.tf:3"
    assert places.of(Resource("aws_lb.other", "aws_lb", "other")) == ""
    assert Places(None).of(lb) == ""


@pytest.mark.parametrize("data", [".terraform", "elsewhere"])
def test_a_module_outside_of_the_directory_is_shown_by_its_whole_path(tmp_path: Path, data: str) -> None:
    here, shared = tmp_path / "here", tmp_path / "shared"
    (here / data / "modules").mkdir(parents=True)
    shared.mkdir()
    (shared / "main.tf").write_text('resource "aws_db_instance" "main" {\n}\n')
    said = {"Modules": [{"Key": "db", "Source": str(shared), "Dir": str(shared)}]}
    (here / data / "modules" / "modules.json").write_text(json.dumps(said))
    database = Resource("module.db.aws_db_instance.main", "aws_db_instance", "main", "module.db")
    assert Places(here, here / data).of(database) == f"{shared}/main.tf:1"


@pytest.mark.parametrize(
    "said",
    ["", "[]", "null", '{"Modules": null}', '{"Modules": {}}', '{"Modules": [1, {"Key": 1, "Dir": 2}, {"Key": "a"}]}'],
)
def test_whatever_terraform_wrote_down_of_modules_the_root_is_found(tmp_path: Path, said: str) -> None:
    (tmp_path / ".terraform" / "modules").mkdir(parents=True)
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(said)
    (tmp_path / "main.tf").write_text('resource "aws_lb" "this" {\n')
    assert Places(tmp_path).of(Resource("aws_lb.this", "aws_lb", "this")) == "main.tf:1"


def test_what_is_born_from_a_variable_is_found_through_modules_keys_and_provisioners() -> None:
    """Surely, not perhaps: what only shares a local with it is not made anew."""

    def resource(name: str, **more: Any) -> dict[str, Any]:
        return {"address": f"aws_x.{name}", "mode": "managed", "type": "aws_x", "name": name, **more}

    def reads(*references: str) -> dict[str, Any]:
        return {"expressions": {"argument": {"references": list(references)}}}

    configuration = {
        "resources": [
            resource("plain", **reads("var.other")),
            resource("seeded", provisioners=[{"type": "local-exec", **reads("var.snapshots")}]),
        ],
        "module_calls": {
            "index": {
                "expressions": {"snapshot": {"references": ["var.snapshots", "each.key"]}},
                "module": {
                    "variables": {"snapshot": {}},
                    "resources": [resource("volume", **reads("var.snapshot")), resource("host", **reads("local.name"))],
                },
            }
        },
    }
    change = {"actions": ["no-op"], "before": {}, "after": {}}
    made = [resource(name) | {"change": change} for name in ("plain", "seeded")]
    made += [
        resource(name)
        | {"address": f'module.index["a"].aws_x.{name}', "module_address": 'module.index["a"]', "change": change}
        for name in ("volume", "host")
    ]
    plan = of_plan({"resource_changes": made, "configuration": {"root_module": configuration}})
    found = {one.address for one in readers(plan, frozenset({"snapshots"}))}
    assert found == {"aws_x.seeded", 'module.index["a"].aws_x.volume'}


def test_our_own_stack_has_its_server_made_anew_by_a_snapshot() -> None:
    found = readers(of_plan(reading.plan("production")), frozenset({"postgres_snapshot"}))
    assert [one.address for one in found] == ["module.postgres.aws_db_instance.this"]
