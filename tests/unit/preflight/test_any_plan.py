"""Whatever of a plan is unknown or missing: the checklists and the consequences say something, and never break."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator import consequences, preflight
from orchestrator.app import checklist
from orchestrator.app.understanding import known
from orchestrator.preflight import Checklist, Status
from tests import corpus
from tests.documents import reading

PLANS = ("unchanged", "guide", "destroy", "other-network")
STACKS = ("flat-outputs", "registry-module", "several-clusters", "count-tenants")
KINDS = (
    "aws_ecs_service", "aws_ecs_task_definition", "aws_db_instance", "aws_lb_target_group", "aws_security_group",
    "aws_vpc_security_group_ingress_rule", "aws_iam_role_policy", "aws_iam_role", "aws_s3_bucket", "aws_instance",
    "aws_elasticache_replication_group", "aws_lb_listener", "aws_lb_listener_rule", "aws_route", "aws_subnet",
    "aws_volume_attachment", "aws_s3_bucket_versioning", "aws_lb", "aws_ecs_cluster", "aws_acm_certificate",
)  # fmt: skip
"""What is looked at."""


def spoil(data: st.DataObject, value: Any, unknown: Any) -> tuple[Any, Any]:
    """One attribute, or one part of it, unknown, missing, or of another form."""
    how = data.draw(st.sampled_from(["unknown", "missing", "empty", "odd", "inside"]))
    if how == "inside" and isinstance(value, list) and value and isinstance(value[0], dict) and value[0]:
        key = data.draw(st.sampled_from(sorted(value[0])))
        return [{**value[0], key: None}, *value[1:]], [{key: True}]
    if how == "inside" and isinstance(value, list) and value:
        return [None, *value[1:]], [True]
    return {
        "unknown": (None, True),
        "missing": (None, False),
        "empty": ([] if isinstance(value, list) else "", False),
    }.get(how, ("odd", False))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_it_never_breaks(data: st.DataObject) -> None:
    plan = deepcopy(reading.plan(data.draw(st.sampled_from(PLANS))))
    looked_at = [one for one in plan["resource_changes"] if one["type"] in KINDS and one["change"].get("after")]
    for one in data.draw(st.lists(st.sampled_from(looked_at), max_size=6)) if looked_at else ():
        change = one["change"]
        change["after_unknown"] = change.get("after_unknown") or {}
        for name in data.draw(st.lists(st.sampled_from(sorted(change["after"])), max_size=4)):
            value, unknown = spoil(data, change["after"][name], change["after_unknown"].get(name))
            change["after"][name], change["after_unknown"][name] = value, unknown
        change["actions"] = data.draw(
            st.sampled_from([change["actions"], ["create"], ["update"], ["delete", "create"]])
        )
    seen = preflight.examine(preflight.from_plan(plan), set(Checklist))
    assert all(one.says and (one.status is not Status.FAILED or one.current) for one in seen)
    assert all(one.says for one in consequences.of_plan(plan))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_it_never_breaks_on_a_stack_without_output(data: st.DataObject) -> None:
    """Whose state is read too, for what it is."""
    document = deepcopy(corpus.document(data.draw(st.sampled_from(STACKS)), "then"))
    modules = [document["prior_state"]["values"]["root_module"]]
    held = []
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", ())
        held += [one for one in module.get("resources", ()) if one["type"] in KINDS and one["values"]]
    for one in data.draw(st.lists(st.sampled_from(held), max_size=6)):
        for name in data.draw(st.lists(st.sampled_from(sorted(one["values"])), max_size=4)):
            one["values"][name], _ = spoil(data, one["values"][name], None)
    for said in (document, document["prior_state"]):
        seen = preflight.examine(checklist.evidence_of(said), set(Checklist))
        assert all(one.says and (one.status is not Status.FAILED or one.current) for one in seen)
    found = consequences.of_plan(document, known(document["prior_state"], {}))
    assert all(one.says for one in found)
