"""Where a stack's contract comes from, and what else Terraform's outputs and state tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestrator.app.context import Learn, no_secrets
from orchestrator.app.understanding import required, understand
from orchestrator.dns.names import normal
from orchestrator.errors import Invalid, Problem
from orchestrator.stack import encoding, mapping_place
from orchestrator.stack.blueprint.resources import read
from orchestrator.stack.contract import Stack
from orchestrator.terraform import Terraform

if TYPE_CHECKING:
    from orchestrator.aws.access import Access

S3 = "s3://"
CONTRACT_VARIABLE = mapping_place.CONTRACT_VARIABLE


def contract_from(
    given: str | None,
    terraform: Terraform,
    environment: Mapping[str, str],
    stdin: Any,
    learn: Learn = no_secrets,
    *,
    access: Callable[[], Access] | None = None,
) -> Stack:
    """The contract: `given`, else the environment's, else what Terraform knows of its directory.

    `given` is a file, `-` (standard input) or s3://BUCKET/KEY, which `access` reads (None: as the environment says).
    Raises `Invalid` with every defect, and where nothing is applied.
    """
    if given == "-":
        return encoding.decode(_all_of(stdin), "standard input")
    if given and given.startswith(S3):
        return encoding.decode(_fetched(given, environment, access), given)
    if given:
        return encoding.decode(_read(Path(given)), given)
    if environment.get(CONTRACT_VARIABLE):
        return encoding.decode(environment[CONTRACT_VARIABLE], CONTRACT_VARIABLE)
    return required(understand(terraform, learn), terraform.directory).require()


def contract_of_outputs(terraform: Terraform, learn: Learn = no_secrets) -> Stack | None:
    """The contract of what Terraform made: its output, else orchestrate.toml and the state; None: nothing is applied.

    Raises `Invalid` with all that is missing, ambiguous or wrong.
    """
    inferred = understand(terraform, learn)
    return inferred.require() if inferred is not None else None


def records_of_terraform(state: Mapping[str, Any]) -> frozenset[str]:
    """The names of every `aws_route53_record` in a state (`terraform show -json`)."""
    held = read(state).of("aws_route53_record", data=True)
    return frozenset(normal(one.text("fqdn") or one.text("name")) for one in held)


def _all_of(stdin: Any) -> str | bytes:
    """Standard input as it is: which encoding it has is for its content to say, not for the locale."""
    try:
        read: str | bytes = getattr(stdin, "buffer", stdin).read()
    except (AttributeError, OSError, ValueError) as error:  # closed, or there is none
        fix = "give the contract on standard input, or with --contract FILE"
        raise Invalid(Problem("contract-unreadable", str(error), "standard input", fix)) from None
    return read


def _fetched(url: str, environment: Mapping[str, str], access: Callable[[], Access] | None) -> bytes:
    """The object's content; one call, s3:GetObject."""
    from orchestrator.aws import s3_object

    bucket, _, key = url.removeprefix(S3).partition("/")
    fix = "write s3://BUCKET/KEY of a contract, or of a Terraform state that has the output `orchestrator`"
    if not bucket or not key:
        raise Invalid(Problem("contract-unreadable", "it is not of the form s3://BUCKET/KEY", url, fix))
    found = s3_object.S3Object(s3_object.connect(environment, access=access() if access else None), bucket, key).read()
    if found is None:
        raise Invalid(Problem("contract-unreadable", "there is no such object", url, fix))
    return found.body


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Invalid(Problem("contract-unreadable", why, str(path), "name a readable JSON file")) from None
