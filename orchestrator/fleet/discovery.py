"""Which objects an S3 prefix holds: among them the Terraform states that are a fleet's stacks."""

from __future__ import annotations

from collections.abc import Mapping


def states_under(prefix: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The keys under s3://BUCKET/PREFIX: s3:ListBucket, one call for a thousand. Raises what a call raises."""
    from orchestrator.aws import s3_object
    from orchestrator.aws.buckets import Buckets

    bucket, _, under = prefix.removeprefix("s3://").partition("/")
    client = s3_object.connect(environment)
    return tuple(one.key for one in Buckets(client, "").objects(bucket, under))
