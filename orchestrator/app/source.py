"""Where a stack's contract comes from, and what else Terraform's outputs and state tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestrator import contract, redact
from orchestrator.app.context import Learn, no_secrets
from orchestrator.contract import Stack
from orchestrator.dns import model
from orchestrator.errors import Invalid, Problem
from orchestrator.terraform import Output, Terraform

CONTRACT_VARIABLE = "ORCHESTRATE_CONTRACT"


def contract_from(
    given: str | None, terraform: Terraform, environment: Mapping[str, str], stdin: Any, learn: Learn = no_secrets
) -> Stack:
    """The contract: a file or `-` (standard input), else the environment, else the directory's Terraform outputs."""
    if given == "-":
        return contract.decode(stdin.read(), "standard input")
    if given:
        return contract.decode(_read(Path(given)), given)
    if environment.get(CONTRACT_VARIABLE):
        return contract.decode(environment[CONTRACT_VARIABLE], CONTRACT_VARIABLE)
    stack = contract_of_outputs(terraform, learn)
    if stack is None:
        fix = "run `orchestrate apply`, or name the directory with --chdir, or give --contract"
        raise Invalid(Problem("no-outputs", "Terraform has no outputs here yet", str(terraform.directory), fix))
    return stack


def contract_of_outputs(terraform: Terraform, learn: Learn = no_secrets) -> Stack | None:
    """The contract in `terraform output`; None when there are no outputs at all (nothing is applied)."""
    outputs = terraform.outputs()
    learn(_sensitive(outputs))
    if not outputs:
        return None
    if "orchestrator" not in outputs:
        fix = "add the `orchestrator` output (docs/reference/contract.md), or give --contract"
        message = f"there is no output named `orchestrator` among {', '.join(sorted(outputs))}"
        raise Invalid(Problem("no-contract-output", message, str(terraform.directory), fix))
    return contract.parse(outputs["orchestrator"].value, "output `orchestrator`")


def _sensitive(outputs: Mapping[str, Output]) -> Iterable[str]:
    """Values marked sensitive. Not the contract's: it holds no secret, and its names are what we speak of."""
    marked = (output.value for name, output in outputs.items() if output.sensitive and name != "orchestrator")
    return [leaf for value in marked for leaf in redact.strings_of(value)]


def records_of_terraform(state: Mapping[str, Any]) -> frozenset[str]:
    """The names of every `aws_route53_record` in a state (`terraform show -json`)."""
    modules = [state.get("values", {}).get("root_module", {})]
    names: set[str] = set()
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", ())
        held = (it["values"] for it in module.get("resources", ()) if it["type"] == "aws_route53_record")
        names |= {model.normal(it.get("fqdn") or it["name"]) for it in held}
    return frozenset(names)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(Problem("contract-unreadable", str(error), str(path), "name a readable JSON file")) from None
