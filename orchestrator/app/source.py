"""Where a stack's contract comes from, and what else Terraform's outputs and state tell."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orchestrator.app.context import Learn, no_secrets
from orchestrator.app.understanding import required, understand
from orchestrator.dns.names import normal
from orchestrator.errors import Invalid, Problem
from orchestrator.stack import encoding, mapping_place
from orchestrator.stack.blueprint.resources import read
from orchestrator.stack.contract import Stack
from orchestrator.terraform import Terraform

CONTRACT_VARIABLE = mapping_place.CONTRACT_VARIABLE


def contract_from(
    given: str | None, terraform: Terraform, environment: Mapping[str, str], stdin: Any, learn: Learn = no_secrets
) -> Stack:
    """The contract: a file or `-` (standard input), else the environment, else what Terraform knows of its directory.

    Raises `Invalid` with every defect, and where nothing is applied.
    """
    if given == "-":
        return encoding.decode(_all_of(stdin), "standard input")
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


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Invalid(Problem("contract-unreadable", why, str(path), "name a readable JSON file")) from None
