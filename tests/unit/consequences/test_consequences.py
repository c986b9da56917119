"""What real plans lead to: tests/cases/consequences/*.json, a plan (or an edited one) → consequences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator import consequences
from orchestrator.consequences import Consequence, Effect, fingerprint, gate
from orchestrator.engine.check import Severity
from tests.documents import reading

CASES = sorted((Path(__file__).parents[2] / "cases" / "consequences").glob("*.json"))
SAYS_NOTHING = {"moved", "unchanged", "certificate-same-names", "target-group-new-first", "deposed"}


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    plan = reading.plan(case["plan"], case.get("edit"), case.get("prior"))
    newer = {"action_invocations": case.get("actions", []), "deferred_changes": case.get("deferred", [])}
    found = consequences.of_plan(plan | newer)
    seen = [(one.severity.value, one.effect.value, one.code, one.name, one.subject) for one in found]
    wanted = case["consequences"]
    assert seen == [(one["severity"], one["effect"], one["code"], one["name"], one["subject"]) for one in wanted]
    for one, expected in zip(found, wanted, strict=True):
        said = "\n".join((one.says, one.why, one.then))
        assert [fragment for fragment in expected["says"] if fragment not in said] == []
        assert one.why
        assert one.then


def test_every_document_has_a_case() -> None:
    assert {json.loads(path.read_text())["plan"] for path in CASES} == set(reading.PLANS)


def test_what_changes_nothing_for_people_says_nothing() -> None:
    silent = {path.stem for path in CASES if not json.loads(path.read_text())["consequences"]}
    assert silent >= SAYS_NOTHING


def test_every_kind_is_met_by_a_case() -> None:
    met = {one["code"] for path in CASES for one in json.loads(path.read_text())["consequences"]}
    spoken = {"database-lost", "bucket-lost", "redis-replaced", "search-index-lost", "certificate-taken-away"}
    spoken |= {"load-balancer-replaced", "listener-rule-destroyed", "target-group-replaced", "network-replaced"}
    spoken |= {"service-restarts", "security-group-replaced", "subnets-replaced", "password-changed", "zone-lost"}
    assert spoken <= met


def test_snapshots_are_told_with_the_loss() -> None:
    found = consequences.of_plan(reading.plan("database-replaced"), snapshots=["the latest snapshot is from Friday"])
    losses = [one for one in found if one.effect is Effect.LOSS]
    assert len(losses) == 2
    assert all("the latest snapshot is from Friday" in one.then for one in losses)


def without_output(name: str) -> dict[str, Any]:
    """The plan, of a stack that says nothing of itself."""
    plan = dict(reading.plan(name))
    state = plan["prior_state"]
    plan["prior_state"] = {**state, "values": {**state["values"], "outputs": {}}}
    return plan | {"output_changes": {}}


def test_a_name_that_terraform_does_not_know_yet_is_a_name() -> None:
    """It follows from what is made in the same apply: the site moves, but not to nowhere."""
    plan = json.loads(json.dumps(reading.plan("hostname-changed")))
    for one in plan["resource_changes"]:
        if one["type"] == "aws_lb_listener_rule" and one["change"]["actions"] == ["update"]:
            header = one["change"]["after"]["condition"][0]["host_header"][0]
            header["values"] = [None]
            one["change"]["after_unknown"]["condition"] = [{"host_header": [{"values": [True]}]}]
    (moved,) = [one for one in consequences.of_plan(plan) if one.code == "hostname-changed"]
    assert "to a name that is known after the apply" in moved.says


def test_what_is_known_of_a_stack_without_output_names_tenants_and_databases() -> None:
    tenants = {"north": {"database": "onyx_north", "service": "customer-a-prod-service"}}
    found = consequences.of_plan(without_output("database-replaced"), {"tenants": tenants})
    losses = [(one.subject, one.name) for one in found if one.effect is Effect.LOSS]
    assert losses == [
        ("customer-b-prod-service", "database:onyx_customer_b"),
        ("north", "database:onyx_north"),
    ], "the service that nobody named is told of all the same"


def test_without_a_contract_the_task_definitions_name_the_databases() -> None:
    found = consequences.of_plan(without_output("database-replaced"))
    losses = {one.name for one in found if one.effect is Effect.LOSS}
    assert losses == {"database:onyx_customer_a", "database:onyx_customer_b"}


def names(found: tuple[Consequence, ...]) -> list[str]:
    return [one.name for one in found if one.severity is Severity.BLOCKER]


def test_a_loss_is_refused_until_every_part_of_it_is_named() -> None:
    found = consequences.of_plan(reading.plan("database-replaced"))
    refused = gate(found, ["database:onyx_customer_a"])
    assert refused is not None
    assert [one.code for one in refused.problems] == ["data-loss", "full-outage"]
    assert all("--allow-loss" in one.fix for one in refused.problems)
    assert gate(found, names(found)) is None


def test_what_only_disturbs_passes() -> None:
    assert gate(consequences.of_plan(reading.plan("vespa-version")), []) is None
    assert gate(consequences.of_plan(reading.plan("interrupted")), []) is None


def test_a_bound_permission_holds_for_its_plan_alone() -> None:
    plan, other = reading.plan("load-balancer-replaced"), reading.plan("database-replaced")
    found = consequences.of_plan(plan)
    checksum = fingerprint(plan, found)
    bound = [f"{name}@{checksum[:12]}" for name in names(found)]
    assert gate(found, bound, checksum) is None
    assert gate(found, bound, fingerprint(other, consequences.of_plan(other))) is not None
    for short in ("", checksum[:1], checksum[:11]):
        assert gate(found, [f"{name}@{short}" for name in names(found)], checksum) is not None
    refused = gate(found, [], checksum)
    assert refused is not None
    assert all(checksum[:12] in one.fix for one in refused.problems)


def test_the_fingerprint_is_what_the_plan_does_and_nothing_else() -> None:
    plan = reading.plan("load-balancer-replaced")
    found = consequences.of_plan(plan)
    again = {**plan, "timestamp": "later", "format_version": "1.3"}
    assert fingerprint(again, found) == fingerprint(plan, found)
    fewer = {**plan, "resource_changes": plan["resource_changes"][1:]}
    assert fingerprint(fewer, found) != fingerprint(plan, found)


def test_a_consequence_without_a_name_is_invalid() -> None:
    with pytest.raises(ValueError, match="kind:thing"):
        Consequence(code="x", effect=Effect.LOSS, name="nameless", says="", why="", then="")
