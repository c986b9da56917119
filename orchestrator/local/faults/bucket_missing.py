"""The bucket was deleted, with what was in it."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.core.cloud import REGION
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    s3 = console.client("s3")
    for bucket in {said["S3_FILE_STORE_BUCKET_NAME"] for said in console.variables()}:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for one in page.get("Contents", ()):
                s3.delete_object(Bucket=bucket, Key=one["Key"])
        s3.delete_bucket(Bucket=bucket)
        yield lambda bucket=bucket: s3.create_bucket(  # type: ignore[misc]
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )


FAULT = meddled("bucket-missing", "the bucket does not exist", "S3 Storage Issues", _delete, per_tenant=False)
