"""A copy of the bucket: no snapshot can restore what destroy deletes."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, manual, passed
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import referrers
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Replicated is enough; a bucket that is emptied by the destroy is not; else a person knows."""
    blueprint = evidence.blueprint
    for bucket in blueprint.of_type("aws_s3_bucket"):
        name = bucket.text("bucket") or bucket.name
        if referrers(blueprint, bucket, "aws_s3_bucket_replication_configuration", "bucket").any:
            yield passed("it is replicated to another bucket", address=bucket.address)
        elif bucket.get("force_destroy") in (True, UNKNOWN):
            yield _emptied(bucket, name)
        else:
            yield manual(
                "bucket-backup",
                f"check that {name} has been copied: the destroy deletes all of it",
                address=bucket.address,
                fix=f"aws s3 sync s3://{name} s3://<backup>",
            )


def _emptied(bucket: Resource, name: str) -> Remark:
    return Remark(
        status=Status.FAILED,
        code="bucket-without-copy",
        severity=Severity.WARNING,
        says="uploaded documents are lost with the bucket",
        why="the destroy empties it (force_destroy), and it is replicated nowhere",
        address=bucket.address,
        current="force_destroy = true, no replication",
        wanted="a copy",
        fix=f"aws s3 sync s3://{name} s3://<backup>",
    )


ITEM = Item(
    id="bucket-backup",
    title="The bucket has a copy",
    occasion=Checklist.DESTROY,
    judge=judge,
    lines=("Backup S3 bucket: `aws s3 sync s3://source s3://backup`",),
)
