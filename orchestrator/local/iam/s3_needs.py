"""What a call of S3 must be allowed: actions, which are not always called like the operation, and ARNs. Pure.

Source: AWS's Service Authorization Reference, and of CopyObject its API reference. Left out: ACLs, other
versions than the current one when reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.local.core.cloud import PARTITION
from orchestrator.local.iam.needs import RequiredPermission

LIST = "ListBucket"
ACTIONS = {
    "HeadBucket": LIST,
    "ListObjects": LIST,
    "ListObjectsV2": LIST,
    "HeadObject": "GetObject",
}
"""Operations that are another action in IAM."""

SUBRESOURCES = {
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("GET", "versions"): "ListBucketVersions",
}
"""What moto takes for the bucket itself."""


@dataclass(frozen=True, slots=True)
class S3Call:
    """`operation` is moto's name; `query` the query string: name → values.

    `source` is BUCKET/KEY of a copy, `tagged`: it has tags, which are copied. `deleted` are keys and versions (empty:
    none given) of DeleteObjects.
    """

    operation: str
    method: str
    query: Mapping[str, Sequence[str]]
    bucket: str = ""
    key: str = ""
    source: str = ""
    tagged: bool = False
    deleted: Sequence[tuple[str, str]] = ()


def needs_of_s3(call: S3Call) -> Iterator[RequiredPermission]:
    """All of it must be allowed."""
    if call.deleted:
        for key, version in call.deleted:
            action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
            yield RequiredPermission(action, _arn(f"{call.bucket}/{key}"))
        return
    action = _action(call)
    context = {"s3:prefix": tuple(call.query["prefix"])} if action == LIST and "prefix" in call.query else {}
    yield RequiredPermission(f"s3:{action}", _arn("/".join(filter(None, (call.bucket, call.key))) or "*"), context)
    if call.source:
        yield RequiredPermission("s3:GetObject", _arn(call.source))
    if call.tagged:
        yield RequiredPermission("s3:GetObjectTagging", _arn(call.source))
        yield RequiredPermission("s3:PutObjectTagging", _arn(f"{call.bucket}/{call.key}"))


def _action(call: S3Call) -> str:
    if not call.key:
        for name in call.query:
            if (call.method, name) in SUBRESOURCES:
                return SUBRESOURCES[call.method, name]
    if call.operation == "DeleteObject" and "versionId" in call.query:
        return "DeleteObjectVersion"
    return ACTIONS.get(call.operation, call.operation)


def _arn(place: str) -> str:
    return f"arn:{PARTITION}:s3:::{place}"
