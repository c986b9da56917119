"""The file store: the bucket is there, tasks are told its name and region, and their role may use their part of it.

The role is asked about at IAM's simulator. Left out: the bucket's own policy, service control policies, KMS keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.iam import Permissions
from orchestrator.aws.partitions import partition_in
from orchestrator.aws.s3 import Presence
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity

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
        symptom=f"what the bucket {bucket} is like can't be seen",
        cause="it belongs to another account (somebody may have taken the name), or this identity may not list it",
        fix=f"aws s3api list-buckets, in the stack's account: is {bucket} among them? If not, give the stack another; "
        "else allow s3:ListBucket on it",
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
            symptom="the tasks have no role to use the bucket with",
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


CHECK: Check[Scene, BucketCheckFacts] = Check(
    id="bucket",
    title="The bucket exists and the tasks may use their part of it",
    gather=gather,
    judge=judge,
    guide_section="S3 Storage Issues",
)
