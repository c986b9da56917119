"""What Terraform knows of a stack: the `orchestrator` output, else orchestrate.toml and the state."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import redact, settings
from orchestrator.app.context import Learn, no_secrets
from orchestrator.errors import Invalid, Problem
from orchestrator.stack import contract, encoding, mapping_place
from orchestrator.stack.blueprint import resources as states
from orchestrator.stack.contract import Stack
from orchestrator.stack.inference import Found, Inferred, infer, mapping
from orchestrator.stack.inference.owned import ownership_of
from orchestrator.stack.ownership import Known, Ownership, Part
from orchestrator.terraform import OutputValue, Terraform, values

OUTPUT = encoding.OUTPUT
SAID = f"output `{OUTPUT}`"
FILE = mapping_place.CONTRACT_FILE
Look = Callable[[Mapping[str, Any]], Inferred | None]


def understand(terraform: Terraform, learn: Learn = no_secrets) -> Inferred | None:
    """The contract with its provenance, or what it lacks; None: nothing is applied.

    In a directory without Terraform, its `contract.json` says it. Raises `Invalid` for an output or a file that is no
    contract, and for a state that is no stack.
    """
    file = terraform.directory / FILE
    if file.is_file() and not has_terraform(terraform.directory):
        return of_document(encoding.decode(file.read_bytes(), str(file)), str(file))
    return looker(terraform, learn)(settings.contract_table(terraform.directory))


def has_terraform(directory: Path) -> bool:
    """Whether there is anything of Terraform's: a configuration, its own folder, a state."""
    return any(next(directory.glob(what), None) for what in ("*.tf", "*.tf.json", ".terraform", "*.tfstate"))


def looker(terraform: Terraform, learn: Learn = no_secrets) -> Look:
    """What Terraform says, read once: a function from a table `[contract]` to what follows from both."""
    outputs = terraform.outputs()
    learn(_sensitive(outputs))
    if OUTPUT in outputs:
        said = _said(outputs[OUTPUT].value)
        said = _owning(said, lambda: ownership_of(states.read(terraform.state())), _services(said.stack))
        return lambda _table: said
    state = states.read(terraform.state())
    plain = {name: one.value for name, one in outputs.items()}

    def look(table: Mapping[str, Any]) -> Inferred | None:
        if not outputs and not state.by_address:
            return None
        if not table and not state.of("aws_ecs_cluster", "aws_ecs_service", data=True):
            raise Invalid(_nothing(outputs, terraform))
        mapped = mapping.read(table, settings.FILE, outputs=plain, state=state, variable=variable)
        inferred = infer(state, mapped)
        learn(password.get_secret_value() for password in inferred.passwords)
        written = [key[1] for key in mapped.values if key[0] == "tenants" and key[2:] == ("service",)]
        return _owning(inferred, lambda: ownership_of(state), _services(inferred.stack, written))

    def variable(name: str) -> str | None:
        return values.value_of(name, terraform.directory, terraform.environment)

    return look


def _owning(inferred: Inferred, ask: Callable[[], Ownership], written: frozenset[Part]) -> Inferred:
    """The same, its stack with what the state tells of whose its parts are, and those that somebody wrote down."""
    return inferred if inferred.stack is None else replace(inferred, stack=inferred.stack.owning(Known(ask, written)))


def _services(stack: Stack | None, tenants: Iterable[str] | None = None) -> frozenset[Part]:
    """The services of these tenants (None: of all)."""
    known = {} if stack is None else stack.tenants
    named = known if tenants is None else known.keys() & set(tenants)
    return frozenset(stack.service_part(one) for one in stack.subjects_of(named)) if stack else frozenset()


def owned(stack: Stack, terraform: Terraform) -> Stack:
    """The same stack, with what Terraform's state tells of whose its parts are; if that is nothing, as was known."""
    before = stack

    def ask() -> Ownership:
        found = ownership_of(states.read(terraform.state()))
        return found if found.told else before.ownership

    return stack.owning(Known(ask))


def known(state: Mapping[str, Any], table: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What a state and a table `[contract]` tell of a stack that doesn't tell itself, perhaps in part, without secrets.

    `state` is `terraform show -json` of one, or a plan's `prior_state`. None: it tells itself, or nothing is known.
    """
    outputs, resources = states.outputs_of(state), states.read(state)
    if OUTPUT in outputs or not (table or resources.of("aws_ecs_cluster", "aws_ecs_service", data=True)):
        return None
    mapped = mapping.read(table, settings.FILE, outputs=outputs, state=resources)
    return infer(resources, mapped).known or None


def required(inferred: Inferred | None, directory: Path) -> Inferred:
    """Raises `Invalid` where nothing is applied."""
    if inferred is None:
        fix = "run `orchestrate apply`, or name the directory with --chdir, or give --contract"
        raise Invalid(Problem("no-outputs", "Terraform has created nothing here yet", str(directory), fix))
    return inferred


def is_said(inferred: Inferred) -> bool:
    """Whether the stack's own output says it, and nothing was inferred."""
    return inferred.stack is not None and all(one.source == SAID for one in inferred.found.values())


def of_document(stack: Stack, source: str) -> Inferred:
    """A contract that was given as it is."""
    document = stack.model_dump(mode="json", by_alias=True, exclude_none=True)
    return Inferred(stack, {key: Found(value, source) for key, value in _leaves(document)})


def _said(document: Any) -> Inferred:
    return of_document(contract.parse(document, SAID), SAID)


def _leaves(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, (*above, name))
    else:
        yield above, value


def _nothing(outputs: Mapping[str, OutputValue], terraform: Terraform) -> Problem:
    fix = (
        "add the `orchestrator` output (docs/reference/contract.md), or a [contract] in orchestrate.toml, or --contract"
    )
    among = f" among {', '.join(sorted(outputs))}" if outputs else ""
    message = f"there is no output named `{OUTPUT}`{among}, and no ECS cluster in the state"
    return Problem("no-contract-output", message, str(terraform.directory), fix)


def _sensitive(outputs: Mapping[str, OutputValue]) -> Iterable[str]:
    """Values marked sensitive. Not the contract's: it holds no secret, and its names are what we speak of."""
    marked = (output.value for name, output in outputs.items() if output.sensitive and name != OUTPUT)
    return [leaf for value in marked for leaf in redact.strings_of(value)]
