"""Resources as a plan will leave them, or as a state has them; a value that Terraform can't know yet is `UNKNOWN`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar

from orchestrator.errors import Invalid, Problem

Document = Mapping[str, Any]
T = TypeVar("T")


SAME = {
    "aws_alb": "aws_lb",
    "aws_alb_listener": "aws_lb_listener",
    "aws_alb_listener_certificate": "aws_lb_listener_certificate",
    "aws_alb_listener_rule": "aws_lb_listener_rule",
    "aws_alb_target_group": "aws_lb_target_group",
}
"""Two names of the provider for one type."""


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
    """One managed resource. `module` is its module's address (`module.tenant["a"]`), empty in the root.

    `actions` are what the plan does to it; empty in a state.
    """

    address: str
    type: str
    name: str
    module: str = ""
    index: str | int | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)
    actions: tuple[str, ...] = ()

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
        """The same as a word: empty where there is nothing or nothing known."""
        value = self.get(*path)
        return "" if value is None or value is UNKNOWN else str(value)

    def blocks(self, *path: str | int) -> list[Mapping[str, Any]]:
        """The blocks at the path; none while they are not known."""
        value = self.get(*path)
        return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []

    @property
    def new(self) -> bool:
        """Whether the plan makes it, or makes it anew."""
        return "create" in self.actions


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


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Every managed resource by address, the outputs, and (of a plan) the configuration's root module."""

    planned: bool
    resources: Mapping[str, Resource]
    outputs: Mapping[str, Any] = field(default_factory=dict)
    configuration: Document = field(default_factory=dict)
    by_type: Mapping[str, Sequence[Resource]] = field(default_factory=dict)
    looked_up: Sequence[Resource] = ()
    """Data sources, as far as they have been read."""
    memo: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was found out once about it (indexes, references followed): it never changes."""

    def cached(self, key: object, find: Callable[[], T]) -> T:
        """What `find` says, asked for but once."""
        if key not in self.memo:
            self.memo[key] = find()
        found: T = self.memo[key]
        return found

    @classmethod
    def made_of(
        cls, resources: Sequence[Resource], outputs: Document, *, state: Document, configuration: Document | None = None
    ) -> Blueprint:
        """With its index; it is a plan's when there is a configuration. `state` has the data sources."""
        by_type: dict[str, list[Resource]] = {}
        for one in resources:
            by_type.setdefault(canonical(one.type), []).append(one)
        by_address = {one.address: one for one in resources}
        looked_up = tuple(state_resources(state, "data"))
        return cls(configuration is not None, by_address, outputs, configuration or {}, by_type, looked_up)

    def of_type(self, *types: str) -> Iterator[Resource]:
        """In the document's order; a type that has two names by either."""
        for kind in dict.fromkeys(map(canonical, types)):
            yield from self.by_type.get(kind, ())


def of_plan(plan: Document) -> Blueprint:
    """The stack as the plan will leave it. Raises `Invalid` for what is no plan."""
    if "resource_changes" not in plan and "planned_values" not in plan:
        raise Invalid(_unreadable("a plan"))
    changed = {one["address"] for one in plan.get("resource_changes", ())}
    kept = [one for one in state_resources(plan.get("prior_state", {})) if one.address not in changed]
    planned = [_planned(one) for one in plan.get("resource_changes", ()) if _stays(one)]
    outputs = {
        name: merged(change.get("after"), change.get("after_unknown"))
        for name, change in plan.get("output_changes", {}).items()
    }
    root = plan.get("configuration", {}).get("root_module", {})
    return Blueprint.made_of([*planned, *kept], outputs, state=plan.get("prior_state", {}), configuration=root)


def of_state(state: Document) -> Blueprint:
    """The stack as the state has it; nothing in it is unknown. Raises `Invalid` for what is no state."""
    if "format_version" not in state or "resource_changes" in state:
        raise Invalid(_unreadable("a state"))
    outputs = {name: one.get("value") for name, one in state.get("values", {}).get("outputs", {}).items()}
    return Blueprint.made_of(list(state_resources(state)), outputs, state=state)


def state_resources(state: Document, mode: str = "managed") -> Iterator[Resource]:
    """Every managed resource of a state document (or each data source), in the document's order."""
    yield from _resources_of(state.get("values", {}).get("root_module", {}), mode)


def _resources_of(module: Document, mode: str) -> Iterator[Resource]:
    for one in module.get("resources", ()):
        if one.get("mode") == mode:
            yield Resource(
                one["address"],
                one["type"],
                one["name"],
                module.get("address", ""),
                one.get("index"),
                one.get("values") or {},
            )
    for child in module.get("child_modules", ()):
        yield from _resources_of(child, mode)


def _stays(change: Document) -> bool:
    return change.get("mode") == "managed" and "deposed" not in change and change["change"].get("after") is not None


def _planned(raw: Document) -> Resource:
    change = raw["change"]
    unknown = change.get("after_unknown")
    return Resource(
        raw["address"],
        raw["type"],
        raw["name"],
        raw.get("module_address", ""),
        raw.get("index"),
        change["after"],
        unknown if isinstance(unknown, Mapping) else {},
        tuple(change["actions"]),
    )


def _unreadable(what: str) -> Problem:
    fix = "give what `terraform show -json PLANFILE` or `terraform show -json` prints"
    return Problem("terraform-json-unreadable", f"this is not Terraform's JSON of {what}", "", fix)
