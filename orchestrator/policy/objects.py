"""Single objects in S3 that a command reads or writes, beside the stack itself: its lock, its contract. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.policy.grants import PolicyScope


def lock(scope: PolicyScope) -> Sequence[str]:
    """The lock beside the state, if that is in S3."""
    return _object(scope, scope.lock)


def lock_bucket(scope: PolicyScope) -> Sequence[str]:
    """To who may not list it, S3 says 403 instead of 404: the lock could not be seen to be free."""
    return _bucket_of(scope, scope.lock)


def contract(scope: PolicyScope) -> Sequence[str]:
    """The contract, or the state that has it, if that is in S3."""
    return _object(scope, scope.contract)


def contract_bucket(scope: PolicyScope) -> Sequence[str]:
    """As of the lock: that there is no such object is seen only by who may list the bucket."""
    return _bucket_of(scope, scope.contract)


def _object(scope: PolicyScope, place: tuple[str, str] | None) -> Sequence[str]:
    return (scope.arn("s3", "/".join(place), region=False, account=False),) if place else ()


def _bucket_of(scope: PolicyScope, place: tuple[str, str] | None) -> Sequence[str]:
    return (scope.arn("s3", place[0], region=False, account=False),) if place else ()
