"""The least IAM policy of a fleet's worker, and of whoever gives it orders, before it is in a stack's role. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.aws.partitions import partition_in, partition_of
from orchestrator.fleet.file import S3
from orchestrator.policy import Policy, Statement


def needed(roles: Sequence[str], prefixes: Sequence[str], region: str) -> Policy:
    """To assume these roles (ARNs), and to list these prefixes (s3://BUCKET/PREFIX)."""
    partition = partition_in(roles[0]) if roles else partition_of(region)
    return Policy((*_listing(prefixes, partition), *_assuming(roles)))


def _assuming(roles: Sequence[str]) -> Iterator[Statement]:
    if roles:
        yield Statement(("sts:AssumeRole",), tuple(roles), {})


def _listing(prefixes: Sequence[str], partition: str) -> Iterator[Statement]:
    for prefix in prefixes:
        bucket, _, under = prefix.removeprefix(S3).partition("/")
        condition = {"StringEquals": {"s3:prefix": (under,)}} if under else {}
        yield Statement(("s3:ListBucket",), (f"arn:{partition}:s3:::{bucket}",), condition)


def remarks(made: Policy) -> Iterator[str]:
    """What it doesn't say, for people."""
    if not made.statements:
        yield "nothing is needed: no stack has a role, and no S3 prefix is listed"
    yield (
        "each role, or the worker itself at stacks without a role, also needs what `orchestrate policy` prints for the "
        "commands that are run there"
    )
