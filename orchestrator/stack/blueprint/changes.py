"""What a plan changes, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.stack.blueprint.resources import Document, merged

NOTHING = ("no-op",)


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """One resource and what happens to it.

    `actions` are Terraform's words: `("delete", "create")` replaces, `("create", "delete")` makes the new one first.
    `recorded` is what the state said before the refresh (the same as `before`, unless it drifted meanwhile).
    `after` has `UNKNOWN` where nothing is known; empty when it is gone.
    """

    address: str
    type: str
    name: str
    module: str = ""
    index: str | int | None = None
    actions: tuple[str, ...] = NOTHING
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    recorded: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    forced_by: tuple[str, ...] = ()
    """The attributes that can't be changed in place."""
    previous_address: str = ""
    deposed: bool = False

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
        if self.forced_by:
            return f"{', '.join(self.forced_by)} can't be changed in place"
        return _REASONS.get(self.reason, "the configuration says so" if self.replaced else "a destroy was asked for")


_REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_by_request": "-replace asks for it",
    "replace_by_triggers": "replace_triggered_by asks for it",
    "delete_because_no_resource_config": "it is no longer in the configuration",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_wrong_repetition": "count or for_each no longer has it",
    "delete_because_count_index": "count is smaller than before",
    "delete_because_each_key": "for_each no longer has its key",
    "delete_because_no_move_target": "it was moved to where nothing is",
}


def changes_of(plan: Document) -> Iterator[ResourceChange]:
    """Every change of a managed resource; what stays as it is (a mere `moved` included) is left out."""
    drifted = {one["address"]: one["change"].get("before") or {} for one in plan.get("resource_drift", ())}
    for raw in plan.get("resource_changes", ()):
        change = raw["change"]
        if raw.get("mode") != "managed" or tuple(change["actions"]) in (NOTHING, ("read",)):
            continue
        before = change.get("before") or {}
        yield ResourceChange(
            raw["address"],
            raw["type"],
            raw["name"],
            raw.get("module_address", ""),
            raw.get("index"),
            tuple(change["actions"]),
            before,
            merged(change.get("after"), change.get("after_unknown")) or {},
            drifted.get(raw["address"], before),
            raw.get("action_reason", ""),
            tuple(".".join(map(str, path)) for path in change.get("replace_paths", ())),
            raw.get("previous_address", ""),
            "deposed" in raw,
        )
