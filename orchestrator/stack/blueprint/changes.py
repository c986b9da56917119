"""The one reader of a plan's JSON: what it changes, resource by resource, and what was there before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.stack.blueprint.resources import Document, Resource, canonical, merged, outputs_of

NOTHING = ("no-op",)
CHANGING = frozenset({"create", "update", "delete"})
"""Terraform's words for what it does to a resource; its stream says them too."""


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource and what happens to it.

    `actions` are Terraform's words: `("delete", "create")` replaces, `("create", "delete")` makes the new one first.
    `recorded` is what the state said before the refresh (the same as `before`, unless it drifted meanwhile).
    `planned` is the resource as it will be, None when it is gone; `after` the same as plain values, `UNKNOWN` where
    nothing is known. `deposed` is the key of an object whose successor is there already; empty otherwise.
    """

    address: str
    type: str
    name: str
    module: str = ""
    index: str | int | None = None
    actions: tuple[str, ...] = NOTHING
    before: Mapping[str, Any] = field(default_factory=dict, repr=False)
    after: Mapping[str, Any] = field(default_factory=dict, repr=False)
    recorded: Mapping[str, Any] = field(default_factory=dict, repr=False)
    planned: Resource | None = None
    reason: str = ""
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    """Where the attributes are that can't be changed in place."""
    previous_address: str = ""
    deposed: str = ""
    is_data: bool = False
    imported: str = ""
    """The id of what is imported to this address by an `import` block; empty: nothing is."""

    @property
    def ends(self) -> bool:
        """What is there now will be gone."""
        return "delete" in self.actions

    @property
    def replaced(self) -> bool:
        """Gone, and another in its place."""
        return self.ends and "create" in self.actions

    @property
    def verb(self) -> str:
        """What Terraform does to what is there, of what ends."""
        return "replaces" if self.replaced else "destroys"

    @property
    def new_first(self) -> bool:
        """Replaced, and the new one is there before the old one goes."""
        return self.actions == ("create", "delete")

    @property
    def made(self) -> bool:
        """New, with nothing before it."""
        return self.actions == ("create",)

    @property
    def updated(self) -> bool:
        """Changed in place."""
        return self.actions == ("update",)

    def differs(self, name: str) -> bool:
        """Whether this attribute changes (one that will be known later counts as changing)."""
        return bool(self.before.get(name) != self.after.get(name))

    def was(self, name: str) -> str:
        """An attribute before, as a word."""
        value = self.before.get(name)
        return "" if value is None else str(value)

    @property
    def why(self) -> str:
        """Why Terraform replaces or removes it, in words."""
        if self.replace_paths:
            forced_by = ", ".join(".".join(map(str, path)) for path in self.replace_paths)
            return f"{forced_by} can't be changed in place"
        return _REASONS.get(self.reason, "the configuration says so" if self.replaced else "a destroy was asked for")


@dataclass(frozen=True, slots=True)
class ActionInvocation:
    """One action (Terraform >= 1.14) that will be invoked while the plan is applied.

    `trigger` is the address of the resource whose change invokes it, empty when `-invoke` asks for it; `event` is
    Terraform's word (`BeforeCreate`, `AfterCreate`, `BeforeUpdate`, `AfterUpdate` …). `config` is `UNKNOWN` where
    nothing is known.
    """

    address: str
    type: str
    trigger: str = ""
    event: str = ""
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)


_REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_by_request": "-replace asks for it",
    "replace_by_triggers": "replace_triggered_by asks for it",
    "delete_because_no_resource_config": "it is no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_wrong_repetition": "count or for_each no longer has it",
    "delete_because_count_index": "count is smaller than before",
    "delete_because_each_key": "for_each no longer has its key",
    "delete_because_no_move_target": "it was moved to an address where nothing is configured",
}


def is_plan(document: Document) -> bool:
    """Whether this is a plan's JSON, not a state's."""
    return "resource_changes" in document or "planned_values" in document


def state_before(plan: Document) -> Document:
    """The state that the plan was made from, refreshed; empty when nothing is applied."""
    before: Document = plan.get("prior_state") or {}
    return before


def outputs_before(plan: Document) -> dict[str, Any]:
    """Output name → value, by the state that the plan was made from."""
    return outputs_of(state_before(plan))


def outputs_after(plan: Document) -> dict[str, Any]:
    """Output name → value as the plan will leave it, `UNKNOWN` where nothing is known."""
    said = plan.get("output_changes", {})
    return {name: merged(one.get("after"), one.get("after_unknown")) for name, one in said.items()}


def planned_contract(plan: Document) -> Mapping[str, Any]:
    """The part of the `orchestrator` output that is known before the plan is applied; empty when nothing is."""
    known = plan.get("output_changes", {}).get("orchestrator", {}).get("after")
    return known if isinstance(known, Mapping) else {}


def does_anything(plan: Document) -> bool:
    """Whether there is anything to apply, be it an output or a `moved` alone. Terraform itself says `applyable`."""
    if "applyable" in plan:
        return bool(plan["applyable"])
    outputs = (tuple(one["actions"]) for one in plan.get("output_changes", {}).values())
    resources = tuple(every_change(plan))
    moved = any(one.previous_address for one in resources)
    return moved or any(actions != NOTHING for actions in (*(one.actions for one in resources), *outputs))


def changes_of(plan: Document) -> Iterator[ResourceChange]:
    """Every change of a managed resource; what stays as it is (a mere `moved` included) is left out."""
    return (one for one in every_change(plan) if not one.is_data and one.actions not in (NOTHING, ("read",)))


def count_of(plan: Document) -> int:
    """How many changes of resources it makes: a replacement is two, a read none."""
    return sum(len(CHANGING.intersection(change.actions)) for change in every_change(plan))


def every_change(plan: Document) -> Iterator[ResourceChange]:
    """All that the plan lists: what stays as it is, and data sources that are read while it is applied, too."""
    drifted = {one["address"]: one["change"].get("before") or {} for one in plan.get("resource_drift", ())}
    for raw in plan.get("resource_changes", ()):
        change = raw["change"]
        before = change.get("before") or {}
        planned = _planned(raw)
        address = raw.get("address", "")
        yield ResourceChange(
            address,
            canonical(raw.get("type", "")),
            raw.get("name", ""),
            raw.get("module_address", ""),
            raw.get("index"),
            tuple(change["actions"]),
            before,
            merged(planned.values, planned.unknown) if planned else {},
            drifted.get(address, before),
            planned,
            raw.get("action_reason", ""),
            tuple(map(tuple, change.get("replace_paths", ()))),
            raw.get("previous_address", ""),
            raw.get("deposed", ""),
            raw.get("mode") == "data",
            str((change.get("importing") or {}).get("id") or ""),
        )


def invocations_of(plan: Document) -> tuple[ActionInvocation, ...]:
    """The actions that the plan invokes, in Terraform's order."""
    return tuple(
        ActionInvocation(
            one.get("address", ""),
            one.get("type", ""),
            (trigger := one.get("lifecycle_action_trigger") or {}).get("triggering_resource_address", ""),
            trigger.get("action_trigger_event", ""),
            merged(one.get("config_values") or {}, one.get("config_unknown")),
        )
        for one in plan.get("action_invocations", ())
    )


def deferred_of(plan: Document) -> Mapping[str, str]:
    """Address → Terraform's reason, of the changes that the plan puts off until the next one.

    Source: `deferred_changes` of Terraform's internal/command/jsonplan; released builds of 1.15 write none yet.
    """
    put_off = plan.get("deferred_changes", ())
    return {one.get("resource_change", {}).get("address", ""): one.get("reason", "") for one in put_off}


def _planned(raw: Document) -> Resource | None:
    change = raw["change"]
    after, unknown = change.get("after"), change.get("after_unknown")
    if after is None:
        return None
    return Resource(
        raw.get("address", ""),
        canonical(raw.get("type", "")),
        raw.get("name", ""),
        raw.get("module_address", ""),
        raw.get("index"),
        after,
        unknown if isinstance(unknown, Mapping) else {},
        tuple(change["actions"]),
        raw.get("mode") == "data",
    )
