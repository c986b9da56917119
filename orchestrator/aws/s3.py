"""S3: whether a bucket is there, and holds anything."""

from __future__ import annotations

from enum import Enum
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.pages import one
from orchestrator.aws.session import code_of, problem_of, translated


class Presence(Enum):
    """What can be seen of a bucket's name."""

    OURS = "ours"
    """It is there, and this account's."""
    MISSING = "missing"
    CLOSED = "closed"
    """S3 answers 403, which tells nothing of it: it belongs to another account, or this identity may not list it."""


class S3:
    """Asks for buckets of the account `owner` through a boto3 `s3` client."""

    def __init__(self, client: Any, owner: str = "") -> None:
        self._client = client
        self._expected = {"ExpectedBucketOwner": owner} if owner else {}

    def presence(self, bucket: str) -> Presence:
        """What HeadBucket says of it."""
        try:
            self._client.head_bucket(Bucket=bucket, **self._expected)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("404", "NoSuchBucket"):
                return Presence.MISSING
            if code_of(error) == "403":
                return Presence.CLOSED
            raise problem_of(error, "s3:HeadBucket") from None
        return Presence.OURS

    def is_empty(self, bucket: str) -> bool:
        """Whether there is no object in it, versions that were deleted not counted."""
        asked: dict[str, Any] = {"Bucket": bucket, "MaxKeys": 1, **self._expected}
        with translated("s3:ListBucket"):
            return one(self._client, "list_objects_v2", "Contents", **asked) is None

    def has(self, bucket: str) -> bool:
        """Whether it is there and this account's: of one that S3 keeps closed nothing is known, so it doesn't count."""
        return self.presence(bucket) is Presence.OURS
