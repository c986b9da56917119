"""A versioned bucket that looks empty may hold old versions, which AWS refuses to delete: the destroy stops."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.checklist.model import Checklist, Evidence, Item, Remark, Status, passed
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import referrers
from orchestrator.stack.blueprint.resources import Resource


def judge(evidence: Evidence) -> Iterator[Remark]:
    """Versioned, and not to be emptied."""
    for bucket in evidence.blueprint.of_type("aws_s3_bucket"):
        if _versioned(bucket, evidence) and bucket.get("force_destroy") is not True:
            yield Remark(
                status=Status.FAILED,
                code="bucket-blocks-destroy",
                severity=Severity.BLOCKER,
                says="the destroy stops halfway: AWS refuses to delete the bucket while old versions are in it",
                why="it is versioned, and force_destroy is off",
                address=bucket.address,
                current="versioning Enabled, force_destroy = false",
                wanted="force_destroy applied before the destroy (once it has been copied)",
                hcl="force_destroy = true",
            )
        else:
            yield passed("it can be deleted", address=bucket.address)


def _versioned(bucket: Resource, evidence: Evidence) -> bool:
    inline = bucket.get("versioning", 0, "enabled") is True
    said = referrers(evidence.blueprint, bucket, "aws_s3_bucket_versioning", "bucket").any
    return inline or any(one.text("versioning_configuration", 0, "status") == "Enabled" for one in said)


ITEM = Item(
    id="bucket-versions",
    title="The bucket doesn't stop the destroy",
    occasion=Checklist.DESTROY,
    judge=judge,
)
