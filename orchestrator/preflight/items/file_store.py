"""The bucket is planned or there, the tasks know it, and a policy of their role grants access to it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.aws.iam import Permissions
from orchestrator.aws.partitions import partition_of
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist import policies
from orchestrator.checklist.facts import onyx_backend
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.checks import bucket as checks
from orchestrator.engine.check import Finding, Severity
from orchestrator.stack.blueprint.references import referrers, sources, targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

OWN_KEYS = "S3_AWS_ACCESS_KEY_ID"
"""Onyx's variable for keys of its own, instead of the task's role."""
WANTED = "a bucket, S3_FILE_STORE_BUCKET_NAME, and a task role that may get, put and delete its objects"
_BUCKET = 'resource "aws_s3_bucket" "file_store" {\n  bucket = "onyx-prod-file-store"\n}'
_POLICY = """resource "aws_iam_role_policy" "s3_access" {
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"]
      Resource = [aws_s3_bucket.file_store.arn, "${aws_s3_bucket.file_store.arn}/*"]
    }]
  })
}"""


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The bucket, then the role, then what its policies allow. A bucket from elsewhere is not Terraform's to know."""
    buckets = list(evidence.blueprint.of_type("aws_s3_bucket"))
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if evidence.planned and unit.definition.get("container_definitions") is UNKNOWN:
        yield from _by_reference(unit, unit.definition, buckets, evidence)
        return
    definition = onyx_backend(unit.definition)
    said = definition.variables()
    name = said.get("S3_FILE_STORE_BUCKET_NAME", "")
    if said.get(OWN_KEYS) or OWN_KEYS in definition.secret_names():
        raise NotKnown(unit.definition.address, f"what {OWN_KEYS} may do")
    ours = next((one for one in buckets if one.text("bucket") == name), None if name else next(iter(buckets), None))
    if ours is None and name:
        raise NotKnown(unit.definition.address, f"the bucket {name}, which is not in this state,")
    if ours is None:
        yield _missing(unit, unit.definition)
        return
    allowed = None
    if definition.task_role:
        objects = checks.objects_of(definition, ours.text("bucket"), partition_of(evidence.region))
        allowed = policies.permissions(evidence, unit.definition, checks.OBJECTS, objects)
    for found in checks.judge(_facts(unit, ours.text("bucket"), definition, allowed, evidence)):
        if found.code != "region-wrong":
            yield _remark(found, unit.definition)


def _facts(
    unit: TenantService,
    bucket: str,
    definition: TaskDefinition,
    allowed: Permissions | None,
    evidence: Evidence,
) -> checks.BucketCheckFacts:
    permissions = {unit.tenant: allowed} if allowed else {}
    return checks.BucketCheckFacts(bucket, True, evidence.region, {unit.tenant: definition}, permissions)


def _by_reference(
    unit: TenantService, definition: Resource, buckets: list[Resource], evidence: Evidence
) -> Iterable[Remark]:
    """A bucket, a role, and a policy made from the bucket's ARN on the role: that much a plan shows."""
    if not buckets and any(one.type == "aws_s3_bucket" for one in evidence.blueprint.looked_up):
        raise NotKnown(definition.address, "S3_FILE_STORE_BUCKET_NAME")
    if not buckets:
        yield _missing(unit, definition)
        return
    if definition.get("task_role_arn") is None:
        facts = _facts(unit, "", TaskDefinition(arn=definition.address), None, evidence)
        yield from (_remark(one, definition) for one in checks.judge(facts) if one.code == "task-role-missing")
        return
    for role in targets(evidence.blueprint, definition, "aws_iam_role", "task_role_arn").any:
        for policy in referrers(evidence.blueprint, role, "aws_iam_role_policy", "role").any:
            if any(one.type == "aws_s3_bucket" for one in sources(evidence.blueprint, policy, "policy")):
                return
    raise NotKnown(definition.address, "what the task's role may do")


def _missing(unit: TenantService, definition: Resource) -> Remark:
    """A warning: Terraform may not be all that makes buckets."""
    return Remark(
        status=Status.FAILED,
        code="bucket-missing",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says="uploaded files can't be kept, unless somebody else makes the bucket",
        why="Terraform makes no bucket, and none is known by name",
        address=definition.address,
        current="no aws_s3_bucket, no S3_FILE_STORE_BUCKET_NAME that is known",
        wanted=WANTED,
        hcl=_BUCKET,
    )


def _remark(found: Finding, definition: Resource) -> Remark:
    hcl = _POLICY if found.code == "bucket-denied" else ""
    if found.code == "task-role-missing":
        hcl = "task_role_arn = aws_iam_role.task.arn"
    if found.code == "bucket-name-wrong":
        hcl = '{ name = "S3_FILE_STORE_BUCKET_NAME", value = aws_s3_bucket.file_store.bucket }'
    return from_finding(
        found,
        address=definition.address,
        current="; ".join(found.evidence),
        wanted=WANTED,
        hcl=hcl,
    )


ITEM = Item(
    id="file-store",
    title="The bucket is there and the tasks may use it",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "the bucket and a policy for it are on the task's role"),
    lines=("S3 bucket exists and IAM policy is attached",),
)
