"""Plans and states as version 6 of the AWS provider writes them are understood as those of version 5 are.

By its upgrade guide: each regional resource has its `region`, `user_data` is in clear, and some attributes are gone.
The documents are those of 5.100, changed accordingly: the provider itself is not here.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator import consequences
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.inference import infer
from orchestrator.stack.inference.mapping import read
from orchestrator.terraform.leftovers import created
from tests.documents import reading
from tests.states import STATES, document

GLOBAL = ("aws_iam_", "aws_route53_", "aws_cloudfront_", "aws_caller_identity", "aws_partition")
GONE = {
    "aws_ecs_task_definition": {"inference_accelerator"},
    "aws_eip": {"vpc"},
    "aws_instance": {"cpu_core_count", "cpu_threads_per_core"},
}
USER_DATA = "#!/bin/sh\ndocker run --publish 8081:8081 vespaengine/vespa:8"


def in_six(kind: str, values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None or not kind.startswith("aws_") or kind.startswith(GLOBAL):
        return values
    known = {name: value for name, value in values.items() if name not in GONE.get(kind, ())}
    if kind == "aws_instance" and known.get("user_data"):
        known["user_data"] = USER_DATA
    return {**known, "region": "eu-central-1" if known.get("region") is None else known["region"]}


def modules(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield module
    for child in module.get("child_modules", ()):
        yield from modules(child)


def state_of_six(given: Any) -> Any:
    state = copy.deepcopy(given)
    for module in modules(state.get("values", {}).get("root_module", {})):
        for one in module.get("resources", ()):
            one["values"] = in_six(one["type"], one.get("values"))
    return state


def plan_of_six(given: Any) -> Any:
    plan = copy.deepcopy(given)
    plan["prior_state"] = state_of_six(plan.get("prior_state") or {})
    for one in plan["resource_changes"]:
        for side in ("before", "after"):
            one["change"][side] = in_six(one["type"], one["change"].get(side))
    return plan


@pytest.mark.parametrize("name", STATES)
def test_a_foreign_stack_is_understood_the_same(name: str) -> None:
    seen = []
    for known in (document(name, "state"), state_of_six(document(name, "state"))):
        state = states.read(known)
        seen.append(infer(state, read({}, "orchestrate.toml", outputs={}, state=state)))
    five, six = seen
    assert (six.stack, six.found, six.questions) == (five.stack, five.found, five.questions)


@pytest.mark.parametrize("name", reading.PLANS)
def test_a_plan_leads_to_the_same(name: str) -> None:
    plan = reading.plan(name)
    assert plan_of_six(plan) != plan
    assert consequences.of_plan(plan_of_six(plan)) == consequences.of_plan(plan)


def test_what_is_to_be_made_in_a_region_of_its_own_is_looked_for_there() -> None:
    change = {"actions": ["create"], "after": {"name": "onyx-prod-alb", "region": "eu-central-1"}}
    (one,) = created({"resource_changes": [{"address": "aws_lb.this", "type": "aws_lb", "change": change}]})
    assert one.region == "eu-central-1"
