"""The file store: the bucket exists, tasks get its name and region, and their role may use their part of it.

The role is checked with IAM's policy simulator. Left out: the bucket's own policy, service control policies, KMS keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.iam import Permissions
from orchestrator.aws.partitions import partition_in, partition_of
from orchestrator.aws.s3 import Presence
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist import policies
from orchestrator.checklist.facts import onyx_backend
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    NotKnown,
    Remark,
    Status,
    TenantService,
    from_finding,
)
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import FILES, in_postgresql
from orchestrator.stack.blueprint.references import referrers, sources, targets
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource

OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
DEFAULT_PREFIX = "onyx-files"
DEFAULT_REGION = "us-east-2"
"""Onyx's own defaults."""
_DEATHS = frozenset({"task-s3-denied", "task-s3-region-wrong", "task-aws-credentials-missing"})


@dataclass(frozen=True, slots=True)
class BucketCheckFacts:
    """The contract's bucket (None: none) and whether it is there; by tenant task definition and permissions.

    `closed`: S3 answers 403, so whether it is there is not known.
    """

    bucket: str | None
    exists: bool | None
    region: str
    definitions: Mapping[str, TaskDefinition]
    permissions: Mapping[str, Permissions] = field(default_factory=dict)
    closed: bool = False


def gather(scene: Scene) -> BucketCheckFacts:
    """One call for the bucket, one a tenant for its role (objects), none without a bucket."""
    bucket, definitions = scene.stack.bucket, scene.definitions()
    if bucket is None:
        return BucketCheckFacts(None, None, scene.stack.region, {})
    if not scene.has_bucket():
        closed = scene.bucket() is Presence.CLOSED
        return BucketCheckFacts(bucket, None if closed else False, scene.stack.region, definitions, closed=closed)
    partition = partition_in(scene.stack.load_balancer.arn)
    permissions = {
        tenant: scene.simulate(definition.task_role, OBJECTS, [objects_of(definition, bucket, partition)])
        for tenant, definition in definitions.items()
        if definition.task_role
    }
    return BucketCheckFacts(bucket, True, scene.stack.region, definitions, permissions)


def objects_of(definition: TaskDefinition, bucket: str, partition: str) -> str:
    """The ARN of an object in the tenant's own part of the bucket that its tasks use."""
    said = definition.variables()
    prefix = said.get("S3_FILE_STORE_PREFIX", DEFAULT_PREFIX).strip("/")
    return f"arn:{partition}:s3:::{said.get('S3_FILE_STORE_BUCKET_NAME', bucket)}/{prefix}/file"


def judge(facts: BucketCheckFacts) -> Iterable[Finding]:
    """Without the bucket nothing else matters."""
    if facts.bucket is None:
        return
    if facts.closed:
        yield _closed(facts.bucket)
        return
    if not facts.exists:
        yield _missing(facts.bucket)
        return
    for tenant, definition in facts.definitions.items():
        if in_postgresql(definition.variables(), FILES):
            continue
        yield from _settings(tenant, definition, facts.bucket, facts.region)
        yield from _denied(tenant, definition, facts.permissions.get(tenant))


def _missing(bucket: str) -> Finding:
    return Finding(
        code="bucket-missing",
        severity=Severity.BLOCKER,
        symptom=f"the bucket {bucket} does not exist",
        cause="it was deleted, or the contract is another stack's",
        fix="terraform apply; then restore its files: aws s3 sync s3://<backup> s3://" + bucket,
        evidence=(f"HeadBucket {bucket}: 404",),
        explains=_DEATHS,
    )


def _closed(bucket: str) -> Finding:
    return Finding(
        code="bucket-closed",
        severity=Severity.WARNING,
        symptom=f"the bucket {bucket} can't be inspected",
        cause="it belongs to another account (somebody may have taken the name), or this identity may not list it",
        fix=f"find out whether {bucket} is one of the stack's account (aws s3api list-buckets): if not, give the stack "
        "another; if it is, allow s3:ListBucket on it",
        evidence=(f"HeadBucket {bucket}, expected to be the account's own: 403",),
        explains=_DEATHS,
    )


def _settings(tenant: str, definition: TaskDefinition, bucket: str, region: str) -> Iterable[Finding]:
    said = definition.variables()
    wanted = {
        "S3_FILE_STORE_BUCKET_NAME": (said.get("S3_FILE_STORE_BUCKET_NAME", ""), bucket),
        "AWS_REGION_NAME": (said.get("AWS_REGION_NAME", DEFAULT_REGION), region),
    }
    for variable, (value, right) in wanted.items():
        if value != right:
            yield Finding(
                code="bucket-name-wrong" if "BUCKET" in variable else "region-wrong",
                severity=Severity.BLOCKER if "BUCKET" in variable else Severity.WARNING,
                subject=tenant,
                symptom="the tasks look for their files elsewhere",
                cause=f"{variable} is {value or 'not set'}, and should be {right}",
                fix=f'{variable} = "{right}" in the environment of the task definition; terraform apply',
                evidence=(f"{variable}={value}", f"wanted: {right}"),
                explains=_DEATHS,
            )


def _denied(tenant: str, definition: TaskDefinition, seen: Permissions | None) -> Iterable[Finding]:
    role = definition.task_role.rsplit("/", 1)[-1]
    if seen is None or not seen.exists:
        yield Finding(
            code="task-role-missing",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom="the tasks have no role that could use the bucket",
            cause="the task definition names no task role" if seen is None else f"there is no role {role}",
            fix="task_role_arn = aws_iam_role.task.arn in aws_ecs_task_definition; terraform apply",
            evidence=(f"taskRoleArn={definition.task_role or '(none)'}",),
            explains=_DEATHS,
        )
    elif seen.denied:
        actions = ", ".join(sorted({one.action for one in seen.denied}))
        resource = seen.denied[0].resource
        yield Finding(
            code="bucket-denied",
            severity=Severity.BLOCKER,
            subject=tenant,
            symptom=f"the tasks may not use the bucket ({actions})",
            cause=f"no policy of {role} allows it"
            if seen.denied[0].decision != "explicitDeny"
            else f"a policy of {role} denies it",
            fix=f'aws_iam_role_policy on {role}: Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], '
            f'Resource = "{resource.rpartition("/")[0]}/*"; terraform apply',
            evidence=tuple(f"{one.action} on {one.resource}: {one.decision}" for one in seen.denied),
            explains=_DEATHS,
        )


def planned_region(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Only where a bucket is used, and the stack's region is known."""
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    definition = onyx_backend(unit.definition)
    bucket = definition.variables().get("S3_FILE_STORE_BUCKET_NAME", "")
    if not bucket:
        raise NotConcerned
    if not evidence.region:
        raise NotKnown(unit.definition.address, "the stack's region")
    for found in judge(BucketCheckFacts(bucket, True, evidence.region, {unit.tenant: definition})):
        if found.code == "region-wrong":
            yield from_finding(
                found,
                address=unit.definition.address,
                current=found.evidence[0],
                wanted=evidence.region,
                hcl=f'{{ name = "AWS_REGION_NAME", value = "{evidence.region}" }}',
            )


OWN_KEYS = "S3_AWS_ACCESS_KEY_ID"
"""Onyx's variable for keys of its own, instead of the task's role."""

_STORE = "a bucket, S3_FILE_STORE_BUCKET_NAME, and a task role that may get, put and delete its objects"

_BUCKET_HCL = 'resource "aws_s3_bucket" "file_store" {\n  bucket = "onyx-prod-file-store"\n}'

_POLICY_HCL = """resource "aws_iam_role_policy" "s3_access" {
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


def planned_store(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The bucket, then the role, then what its policies allow. A bucket from elsewhere is not Terraform's to know."""
    buckets = list(evidence.blueprint.of_type("aws_s3_bucket"))
    if unit.definition is None:
        raise NotKnown(unit.service.address, "task_definition")
    if evidence.planned and unit.definition.get("container_definitions") is UNKNOWN:
        yield from _by_reference(unit, unit.definition, buckets, evidence)
        return
    definition = onyx_backend(unit.definition)
    said = definition.variables()
    if in_postgresql(said, FILES):
        raise NotConcerned
    name = said.get("S3_FILE_STORE_BUCKET_NAME", "")
    if said.get(OWN_KEYS) or OWN_KEYS in definition.secret_names():
        raise NotKnown(unit.definition.address, f"what {OWN_KEYS} may do")
    ours = next((one for one in buckets if one.text("bucket") == name), None if name else next(iter(buckets), None))
    if ours is None and name:
        raise NotKnown(unit.definition.address, f"the bucket {name}, which is not in this state,")
    if ours is None:
        yield _none_planned(unit, unit.definition)
        return
    allowed = None
    if definition.task_role:
        objects = objects_of(definition, ours.text("bucket"), partition_of(evidence.region))
        allowed = policies.permissions(evidence, unit.definition, OBJECTS, objects)
    for found in judge(_planned_facts(unit, ours.text("bucket"), definition, allowed, evidence)):
        if found.code != "region-wrong":
            yield _store_remark(found, unit.definition)


def _planned_facts(
    unit: TenantService,
    bucket: str,
    definition: TaskDefinition,
    allowed: Permissions | None,
    evidence: Evidence,
) -> BucketCheckFacts:
    permissions = {unit.tenant: allowed} if allowed else {}
    return BucketCheckFacts(bucket, True, evidence.region, {unit.tenant: definition}, permissions)


def _by_reference(
    unit: TenantService, definition: Resource, buckets: list[Resource], evidence: Evidence
) -> Iterable[Remark]:
    """A bucket, a role, and a policy made from the bucket's ARN on the role: that much a plan shows."""
    if not buckets and any(one.type == "aws_s3_bucket" for one in evidence.blueprint.looked_up):
        raise NotKnown(definition.address, "S3_FILE_STORE_BUCKET_NAME")
    if not buckets:
        yield _none_planned(unit, definition)
        return
    if definition.get("task_role_arn") is None:
        facts = _planned_facts(unit, "", TaskDefinition(arn=definition.address), None, evidence)
        yield from (_store_remark(one, definition) for one in judge(facts) if one.code == "task-role-missing")
        return
    for role in targets(evidence.blueprint, definition, "aws_iam_role", "task_role_arn").any:
        for policy in referrers(evidence.blueprint, role, "aws_iam_role_policy", "role").any:
            if any(one.type == "aws_s3_bucket" for one in sources(evidence.blueprint, policy, "policy")):
                return
    raise NotKnown(definition.address, "what the task's role may do")


def _none_planned(unit: TenantService, definition: Resource) -> Remark:
    """A warning: Terraform may not be all that makes buckets."""
    return Remark(
        status=Status.FAILED,
        code="bucket-missing",
        severity=Severity.WARNING,
        subject=unit.tenant,
        says="uploaded files can't be stored unless somebody else creates the bucket",
        why="Terraform creates no bucket, and no bucket name is known",
        address=definition.address,
        current="no aws_s3_bucket, no S3_FILE_STORE_BUCKET_NAME that is known",
        wanted=_STORE,
        hcl=_BUCKET_HCL,
    )


def _store_remark(found: Finding, definition: Resource) -> Remark:
    hcl = _POLICY_HCL if found.code == "bucket-denied" else ""
    if found.code == "task-role-missing":
        hcl = "task_role_arn = aws_iam_role.task.arn"
    if found.code == "bucket-name-wrong":
        hcl = '{ name = "S3_FILE_STORE_BUCKET_NAME", value = aws_s3_bucket.file_store.bucket }'
    return from_finding(
        found,
        address=definition.address,
        current="; ".join(found.evidence),
        wanted=_STORE,
        hcl=hcl,
    )


CHECK: Check[Scene, BucketCheckFacts] = Check(
    id="bucket",
    title="The bucket exists and the tasks may use their part of it",
    gather=gather,
    judge=judge,
    guide_section="S3 Storage Issues",
)
POINTS = (
    Item(
        id="app-region",
        title="Tasks are configured with the stack's region",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_region, "AWS_REGION_NAME is the stack's"),
        about="The region in Onyx's environment: its own default is us-east-2, wherever the stack is.",
    ),
    Item(
        id="file-store",
        title="The bucket exists and the tasks may use it",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_store, "the bucket exists, and the task's role has a policy for it"),
        lines=("S3 bucket exists and IAM policy is attached",),
        about="The bucket is planned or exists, the tasks know it, and a policy of their role grants access to it.",
    ),
)
