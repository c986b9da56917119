"""S3: whether a bucket is there."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from orchestrator.aws.session import code_of, problem_of


class S3:
    """Asks for buckets through a boto3 `s3` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def has(self, bucket: str) -> bool:
        """Whether it exists. One that is somebody else's (403) exists too."""
        try:
            self._client.head_bucket(Bucket=bucket)
        except (ClientError, BotoCoreError) as error:
            if code_of(error) in ("404", "NoSuchBucket"):
                return False
            if code_of(error) == "403":
                return True
            raise problem_of(error, "s3:HeadBucket") from None
        return True
