"""The region that Onyx is told: its own default is us-east-2, wherever the stack is."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import onyx_backend
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    TenantService,
    from_finding,
)
from orchestrator.doctor.checks import bucket as checks


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Only where a bucket is used, and the stack's region is known."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = onyx_backend(unit.definition)
    bucket = definition.variables().get("S3_FILE_STORE_BUCKET_NAME", "")
    if not bucket:
        raise NotConcerned
    if not evidence.region:
        raise NotKnown(unit.definition.address, "the stack's region")
    for found in checks.judge(checks.BucketCheckFacts(bucket, True, evidence.region, {unit.tenant: definition})):
        if found.code == "region-wrong":
            yield from_finding(
                found,
                address=unit.definition.address,
                current=found.evidence[0],
                wanted=evidence.region,
                hcl=f'{{ name = "AWS_REGION_NAME", value = "{evidence.region}" }}',
            )


ITEM = Item(
    id="app-region",
    title="Tasks are told the stack's region",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "AWS_REGION_NAME is the stack's"),
)
