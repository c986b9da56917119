"""A hundred tenants fit one load balancer, one more does not; the account's own quotas are asked for beyond that."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator import preflight
from orchestrator.app import checklist
from orchestrator.aws.quotas import Quotas
from orchestrator.engine.check import Severity
from orchestrator.preflight import Evidence, Status
from orchestrator.preflight.items import quotas
from tests import corpus
from tests.documents import reading

LAST, ONE_MORE = '\\"t99\\"', '\\"t100\\"'


def tenants(more: bool) -> Evidence:
    """The plan of a hundred tenants, or of one more: all that the last has, again."""
    plan = deepcopy(corpus.document("hundred-tenants", "plan"))
    if more:
        own = [text for one in plan["resource_changes"] if LAST in (text := json.dumps(one))]
        plan["resource_changes"] += [json.loads(text.replace(LAST, ONE_MORE)) for text in own]
    return checklist.evidence_of(plan)


def failed(evidence: Evidence) -> dict[str, Severity | None]:
    return {one.current: one.severity for one in quotas.judge(evidence) if one.status is Status.FAILED}


def test_a_hundred_tenants_fit_one_load_balancer() -> None:
    assert failed(tenants(more=False)) == {}


class Asked:
    """Service Quotas, and what it was asked for. Without a value it denies."""

    def __init__(self, value: float | None) -> None:
        self.value = value
        self.codes: list[str] = []

    def get_service_quota(self, *, ServiceCode: str, QuotaCode: str) -> dict[str, Any]:  # noqa: N803 - AWS's names
        self.codes.append(f"{ServiceCode} {QuotaCode}")
        if self.value is None:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "GetServiceQuota")
        return {"Quota": {"Value": self.value}}


@pytest.mark.parametrize(
    ("value", "rules"),
    [(200.0, {}), (100.0, {"101 rules of a load balancer": Severity.BLOCKER}), (None, Severity.WARNING)],
    ids=["raised", "not raised", "denied"],
)
def test_one_more_does_not(value: float | None, rules: Any) -> None:
    asked = Asked(value)
    evidence = checklist.with_quotas(tenants(more=True), lambda: Quotas(asked))
    assert asked.codes == ["elasticloadbalancing L-7EED9B64"], "what can't be raised is not asked for"
    rules = {"101 rules of a load balancer": rules} if rules is Severity.WARNING else rules
    assert failed(evidence) == {"101 target groups of a load balancer": Severity.BLOCKER, **rules}


def test_nobody_is_asked_where_the_defaults_do() -> None:
    def never() -> Quotas:
        pytest.fail("AWS is asked")

    assert checklist.with_quotas(preflight.from_plan(reading.plan("demo")), never).quotas == {}
