"""The least IAM policy for each command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.workflows.caller import Caller, StackRef


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """Ready for `aws iam create-policy --policy-document`, and what isn't in it."""

    document: Mapping[str, Any]
    notes: Sequence[str]


def policy(
    stack: StackRef, commands: Sequence[str] = (), *, zone_ids: Sequence[str] = (), kms_keys: Sequence[str] = ()
) -> PolicyDocument:
    """For these commands (none: all of them) on this stack: read from the contract, without asking AWS.

    `zone_ids` are those of the hosted zones (none: any). `kms_keys` are ARNs of keys that the customer manages, beside
    those that Terraform's state names. Raises `Invalid`.
    """
    from orchestrator import app
    from orchestrator import policy as policies
    from orchestrator.errors import Invalid
    from orchestrator.lifecycle.vault import bucket_of
    from orchestrator.settings import Settings
    from orchestrator.terraform import Terraform
    from orchestrator.workflows.contract import access_to

    names = policies.chosen(tuple(commands))
    if defects := list(policies.defects(kms_keys)):
        raise Invalid(*defects)
    settings = Settings(stack.settings, stack.environment, stack.directory)
    terraform = Terraform(stack.directory, stack.environment)
    access = partial(access_to, stack, settings, Caller())
    known = app.contract_from(stack.contract, terraform, stack.environment, stack.stdin, access=access)
    named = settings["lock-dir"], settings["lock"]
    scope = policies.PolicyScope(
        stack=known,
        direct=settings["database-transport"] == "direct",
        zone_ids=tuple(zone.rpartition("/")[2] for zone in zone_ids),
        lock=_lock(stack, *named) if policies.takes_lock(names) else None,
        contract=_in_s3(stack.contract or ""),
        role=settings["role"] or "",
        backups=settings["backup-bucket"] or bucket_of(known.stack, known.account_id),
        keys=tuple(sorted({*kms_keys, *known.ownership.keys})),
    )
    grants = list(policies.needed(names))
    made = policies.policy([*grants, *policies.opening(grants, scope)], scope)
    return PolicyDocument(made.as_json(), tuple(policies.remarks(made, names, scope)))


def _lock(stack: StackRef, lock_dir: Path | None, lock: tuple[str, str] | None) -> tuple[str, str] | None:
    """Bucket and key of the lock, if it is in S3."""
    from orchestrator.terraform.lock_places import lock_of

    return _in_s3(lock_of(stack.directory, stack.environment, lock_dir, lock=lock, contract=stack.contract).place)


def _in_s3(place: str) -> tuple[str, str] | None:
    bucket, _, key = place.removeprefix("s3://").partition("/")
    return (bucket, key) if place.startswith("s3://") else None
