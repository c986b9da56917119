"""A stack as a plan will leave it, or as a state has it, with what is written of it in the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orchestrator.errors import Invalid, Problem
from orchestrator.stack.blueprint.changes import every_change, is_plan, outputs_after, state_before
from orchestrator.stack.blueprint.resources import Document, Resource, Resources, canonical, outputs_of, read

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Blueprint:
    """Every managed resource, the outputs, and (of a plan) the configuration's root module."""

    planned: bool
    held: Resources
    outputs: Mapping[str, Any] = field(default_factory=dict)
    configuration: Document = field(default_factory=dict)
    looked_up: Sequence[Resource] = ()
    """Data sources, as far as they have been read."""
    memo: dict[object, Any] = field(default_factory=dict, repr=False, compare=False)
    """What was found out once about it (indexes, references followed): it never changes."""

    @property
    def resources(self) -> Mapping[str, Resource]:
        """By address."""
        return self.held.by_address

    def cached(self, key: object, find: Callable[[], T]) -> T:
        """What `find` says, asked for but once."""
        if key not in self.memo:
            self.memo[key] = find()
        found: T = self.memo[key]
        return found

    def of_type(self, *types: str) -> Iterator[Resource]:
        """In the document's order; a type that has two names by either."""
        yield from self.held.of(*dict.fromkeys(map(canonical, types)))


def of_plan(plan: Document) -> Blueprint:
    """The stack as the plan will leave it. Raises `Invalid` for what is no plan."""
    if not is_plan(plan):
        raise Invalid(_unreadable("a plan"))
    changes = tuple(every_change(plan))
    changed = {one.address for one in changes}
    planned = [one.planned for one in changes if one.planned is not None and not one.is_data and not one.deposed]
    there = tuple(read(state_before(plan)).everything())
    kept = [one for one in there if not one.is_data and one.address not in changed]
    root = plan.get("configuration", {}).get("root_module", {})
    return _blueprint([*planned, *kept], there, outputs_after(plan), root)


def of_state(state: Document) -> Blueprint:
    """The stack as the state has it; nothing in it is unknown. Raises `Invalid` for what is no state."""
    if "format_version" not in state or is_plan(state):
        raise Invalid(_unreadable("a state"))
    there = tuple(read(state).everything())
    return _blueprint([one for one in there if not one.is_data], there, outputs_of(state), None)


def _blueprint(
    managed: Sequence[Resource], there: Iterable[Resource], outputs: Document, configuration: Document | None
) -> Blueprint:
    """It is a plan's when there is a configuration. Of what is `there`, data sources are looked up."""
    looked_up = tuple(one for one in there if one.is_data)
    return Blueprint(configuration is not None, Resources(managed), outputs, configuration or {}, looked_up)


def _unreadable(what: str) -> Problem:
    fix = "give what `terraform show -json PLANFILE` or `terraform show -json` prints"
    return Problem("terraform-json-unreadable", f"this is not Terraform's JSON of {what}", "", fix)
