"""`terraform show -json` of a state, as resources that can be looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.errors import Invalid, Problem
from orchestrator.stack.blueprint.resources import canonical

FORMATS = frozenset({"0", "1"})
"""Of `terraform show -json`: Terraform 0.12 to 0.15 say 0.x, those from 1.0 on 1.x, of the same shape."""


@dataclass(frozen=True, slots=True)
class StateResource:
    """One instance of a resource or data source. `address` is Terraform's; `values` hold secrets in clear."""

    address: str
    type: str
    values: Mapping[str, Any] = field(repr=False)
    is_data: bool = False

    def text(self, name: str) -> str:
        """A string value; empty where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        return tuple(one for one in listed(self.values.get(name)) if isinstance(one, str))

    def blocks(self, name: str) -> tuple[Mapping[str, Any], ...]:
        """The nested blocks of this name."""
        return blocks_in(self.values, name)

    @property
    def arn_parts(self) -> tuple[str, str]:
        """Region and account of its ARN; empty where it has none."""
        parts = [*self.text("arn").split(":"), *[""] * 5]
        return parts[3], parts[4]


def blocks_in(values: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], ...]:
    """The nested blocks of this name in a block."""
    return tuple(one for one in listed(values.get(name)) if isinstance(one, Mapping))


def listed(value: Any) -> list[Any]:
    """A list as it is; anything else holds nothing."""
    return value if isinstance(value, list) else []


class State:
    """Every resource of a state, by type and by address."""

    def __init__(self, resources: Iterable[StateResource]) -> None:
        self._by_type: dict[str, list[StateResource]] = defaultdict(list)
        self.by_address: dict[str, StateResource] = {}
        for one in resources:
            self._by_type[one.type].append(one)
            self.by_address[one.address] = one

    def everything(self) -> Iterable[StateResource]:
        """Resources and data sources, in the order of the state."""
        return self.by_address.values()

    def of(self, *types: str, data: bool = False) -> tuple[StateResource, ...]:
        """Resources of these types, in the order of the state; data sources only if asked for."""
        return tuple(one for kind in types for one in self._by_type.get(kind, ()) if data or not one.is_data)

    def one(self, kind: str, name: str, value: str) -> StateResource | None:
        """The resource whose attribute has this value; a data source where no resource has."""
        found = sorted(self.of(kind, data=True), key=lambda it: it.is_data)
        return next((it for it in found if value and it.values.get(name) == value), None)


def read(document: Mapping[str, Any]) -> State:
    """The resources of `terraform show -json`; none when nothing is applied. Raises `Invalid` for another format."""
    major = str(document.get("format_version", "1")).partition(".")[0]
    if major not in FORMATS or ("version" in document and "format_version" not in document):
        raise Invalid(_unknown_format(document))
    return State(_resources(document.get("values", {}).get("root_module", {})))


def _unknown_format(document: Mapping[str, Any]) -> Problem:
    if "version" in document and "format_version" not in document:
        fix = "let Terraform read it: an older one is upgraded by `terraform init` and `terraform apply -refresh-only`"
        message = (
            f"this is a state file as Terraform keeps it (version {document['version']}), which only Terraform reads"
        )
    else:
        fix = "update orchestrate, or use the Terraform that it knows (1.x)"
        message = f"Terraform says its state in format {document['format_version']}, which this version doesn't know"
    return Problem("state-format-unknown", message, "terraform show -json", fix)


def outputs_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Output name → value."""
    said = document.get("values", {}).get("outputs", {})
    return {name: one.get("value") for name, one in said.items()}


def _resources(module: Mapping[str, Any]) -> Iterator[StateResource]:
    for one in module.get("resources", ()):
        kind = canonical(one["type"])
        yield StateResource(one["address"], kind, one.get("values") or {}, one.get("mode") == "data")
    for child in module.get("child_modules", ()):
        yield from _resources(child)
