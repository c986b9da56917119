"""The one reader of `terraform show -json`: the resources of a state or of a plan, as values that can be looked up.

What Terraform can't know before it applies is `UNKNOWN`. A type that has two names has one here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from orchestrator.errors import Invalid, Problem

Document = Mapping[str, Any]

FORMATS = frozenset({"0", "1"})
"""Of `terraform show -json`: Terraform 0.12 to 0.15 say 0.x, those from 1.0 on 1.x, of the same shape."""
SAME = {
    "aws_alb": "aws_lb",
    "aws_alb_listener": "aws_lb_listener",
    "aws_alb_listener_certificate": "aws_lb_listener_certificate",
    "aws_alb_listener_rule": "aws_lb_listener_rule",
    "aws_alb_target_group": "aws_lb_target_group",
}
"""Two names of the provider for one type."""
_INDEX = re.compile(r"\[[^\]]*\]")


def canonical(kind: str) -> str:
    """The one name for a type that has two."""
    return SAME.get(kind, kind)


class Unknown(Enum):
    """The one value that stands for "not known until applied"."""

    UNKNOWN = "not known until applied"

    def __str__(self) -> str:
        return self.value


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Resource:
    """One instance of a resource or data source. `values` hold secrets in clear.

    `module` is its module's address (`module.tenant["a"]`), empty in the root; `index` its own key of count or
    for_each. `actions` are what a plan does to it; empty in a state. `tainted` is said by a state alone.
    """

    address: str
    type: str
    name: str = ""
    module: str = ""
    index: str | int | None = None
    values: Mapping[str, Any] = field(default_factory=dict, repr=False)
    unknown: Mapping[str, Any] = field(default_factory=dict, repr=False)
    actions: tuple[str, ...] = ()
    is_data: bool = False
    tainted: bool = False

    def get(self, *path: str | int) -> Any:
        """The value at the path (`"health_check", 0, "path"`), `UNKNOWN`, or None where there is nothing."""
        value: Any = self.values
        unknown: Any = self.unknown
        for step in path:
            value, unknown = _child(value, step), _child(unknown, step)
            if unknown is True:
                return UNKNOWN
        return merged(value, unknown)

    def text(self, *path: str | int) -> str:
        """The same as a word: a text or a number; empty where there is neither, or nothing known."""
        value = self.get(*path)
        if isinstance(value, str):
            return value
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""

    def texts(self, *path: str | int) -> tuple[str, ...]:
        """The texts of the list at the path, as far as they are known."""
        return texts_in(self.get(*path))

    def blocks(self, *path: str | int) -> tuple[Mapping[str, Any], ...]:
        """The blocks at the path; none while they are not known."""
        return blocks_in(self.get(*path))

    @property
    def new(self) -> bool:
        """Whether the plan makes it, or makes it anew."""
        return "create" in self.actions

    @property
    def written(self) -> str:
        """As the configuration calls it: type and name, the type in the words that were written."""
        return ".".join(_INDEX.sub("", self.address).split(".")[-2:])

    def place(self, *names: str) -> str:
        """Where the first of these attributes that says something stands: `ADDRESS: ATTRIBUTE`.

        What stands for a thing that has no resource is at the place that told of it, whatever is asked for.
        """
        if ": " in self.address:
            return self.address
        return f"{self.address}: {next((name for name in names if self.values.get(name)), names[0])}"

    @property
    def arn_parts(self) -> tuple[str, str]:
        """Region and account of its ARN; empty where it has none."""
        parts = [*self.text("arn").split(":"), *[""] * 5]
        return parts[3], parts[4]


def _child(of: Any, step: str | int) -> Any:
    if isinstance(of, Mapping):
        return of.get(step)
    if isinstance(of, list) and isinstance(step, int) and step < len(of):
        return of[step]
    return None


def merged(value: Any, unknown: Any) -> Any:
    """A value and the tree of what is not known of it, as one."""
    if unknown is True:
        return UNKNOWN
    if not unknown or isinstance(unknown, bool):
        return value
    if isinstance(unknown, Mapping):
        known = value if isinstance(value, Mapping) else {}
        return {**known, **{key: merged(known.get(key), inner) for key, inner in unknown.items() if inner}}
    known_items = value if isinstance(value, list) else []
    padded = [*known_items, *[None] * (len(unknown) - len(known_items))]
    return [merged(item, unknown[n] if n < len(unknown) else False) for n, item in enumerate(padded)]


def listed(value: Any) -> list[Any]:
    """A list as it is; anything else holds nothing."""
    return value if isinstance(value, list) else []


def texts_in(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(one for one in listed(value) if isinstance(one, str))


def blocks_in(value: Any) -> tuple[Mapping[str, Any], ...]:
    """The blocks of a list."""
    return tuple(one for one in listed(value) if isinstance(one, Mapping))


def host_headers(condition: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts that a rule's condition asks for; provider 2 says `field = "host-header"` and the values beside it."""
    if condition.get("field") == "host-header":
        return texts_in(condition.get("values"))
    return tuple(host for one in blocks_in(condition.get("host_header")) for host in texts_in(one.get("values")))


class Resources:
    """Resources and data sources, by type and by address, in the document's order."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._by_type: dict[str, list[Resource]] = defaultdict(list)
        self.by_address: dict[str, Resource] = {}
        for one in resources:
            self._by_type[one.type].append(one)
            self.by_address[one.address] = one

    def everything(self) -> Iterable[Resource]:
        """Resources and data sources."""
        return self.by_address.values()

    def of(self, *types: str, data: bool = False) -> tuple[Resource, ...]:
        """Resources of these types; data sources only if asked for."""
        return tuple(one for kind in types for one in self._by_type.get(kind, ()) if data or not one.is_data)

    def one(self, kind: str, name: str, value: str) -> Resource | None:
        """The resource whose attribute has this value; a data source where no resource has."""
        found = sorted(self.of(kind, data=True), key=lambda it: it.is_data)
        return next((it for it in found if value and it.values.get(name) == value), None)


def read(state: Document) -> Resources:
    """The resources of a state; none when nothing is applied. Raises `Invalid` for another format."""
    major = str(state.get("format_version", "1")).partition(".")[0]
    if major not in FORMATS or ("version" in state and "format_version" not in state):
        raise Invalid(_unknown_format(state))
    return Resources(_resources(state.get("values", {}).get("root_module", {})))


def _unknown_format(document: Document) -> Problem:
    if "version" in document and "format_version" not in document:
        fix = "let Terraform read it: an older one is upgraded by `terraform init` and `terraform apply -refresh-only`"
        message = f"this is a raw Terraform state file (version {document['version']}), which only Terraform can read"
    else:
        fix = "update orchestrate, or use a Terraform version that it supports (1.x)"
        message = (
            f"Terraform prints its state in format {document['format_version']}, which this version doesn't support"
        )
    return Problem("state-format-unknown", message, "terraform show -json", fix)


def outputs_of(state: Document) -> dict[str, Any]:
    """Output name → value."""
    said = state.get("values", {}).get("outputs", {})
    return {name: one.get("value") for name, one in said.items()}


def _resources(module: Document) -> Iterator[Resource]:
    for one in module.get("resources", ()):
        yield Resource(
            one.get("address", ""),
            canonical(one["type"]),
            one.get("name", ""),
            module.get("address", ""),
            one.get("index"),
            one.get("values") or {},
            is_data=one.get("mode") == "data",
            tainted=bool(one.get("tainted")),
        )
    for child in module.get("child_modules", ()):
        yield from _resources(child)
