"""What an interrupted Terraform leaves behind, read from its plan and state, and what becomes of it. Pure.

A create that was cut off leaves its object *tainted*: the next plan destroys it and makes it again, and with it a
database. A Terraform that was killed leaves objects that its state doesn't know: the next apply fails with
`AlreadyExists`, or makes a second one. The first is kept once it is available, the second can be imported.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any

from orchestrator.stack.blueprint.changes import every_change, state_before
from orchestrator.stack.blueprint.resources import UNKNOWN, Resource, read
from orchestrator.terraform.resource_kinds import KINDS

if TYPE_CHECKING:
    from orchestrator.aws.existing import ExistingObject


@dataclass(frozen=True, slots=True)
class Tainted:
    """A tainted object. `cut_off`: its create never came to its end, so nobody has tainted it on purpose."""

    address: str
    kind: str
    name: str
    cut_off: bool = True
    from_snapshot: bool = False

    @property
    def wanted(self) -> Mapping[str, Any]:
        """What it is looked up by."""
        return {KINDS[self.kind].name: self.name}


@dataclass(frozen=True, slots=True)
class Planned:
    """An object that the plan creates.

    `wanted` is what is known of it, `tags` those it would have; `inside`: all that it is a part of is in the state.
    `taken` are the objects of its kind that the state has already, under other addresses. `region` is its own, where it
    says one (AWS provider 6); empty: the provider's.
    """

    address: str
    kind: str
    wanted: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    inside: bool = False
    taken: frozenset[str] = frozenset()
    region: str = ""

    @property
    def name(self) -> str:
        """Empty where its kind has none."""
        return str(self.wanted.get(KINDS[self.kind].name, ""))


@dataclass(frozen=True, slots=True)
class Keep:
    """To be untainted."""

    address: str
    because: str


@dataclass(frozen=True, slots=True)
class Await:
    """To be kept or imported, as soon as it is available."""

    address: str
    because: str


@dataclass(frozen=True, slots=True)
class Adopt:
    """To be imported."""

    address: str
    id: str
    because: str

    @property
    def command(self) -> str:
        """How to do it by hand."""
        return f"terraform import {quote(self.address)} {quote(self.id)}"


@dataclass(frozen=True, slots=True)
class Leave:
    """Worth knowing, but not ours to decide."""

    address: str
    because: str
    fix: str


LeftoverAction = Keep | Await | Adopt | Leave

_NAMED: Mapping[str, str] = {"cluster": "aws_ecs_cluster", "role": "aws_iam_role"}
"""What names a part's whole → its kind: something of another kind may have the same name, but no id or ARN."""


def taints_in(plan: Mapping[str, Any], wanted_again: Collection[str] = ()) -> frozenset[str]:
    """Addresses that the plan replaces because they are tainted; not those that were asked for with -replace."""
    return frozenset(
        change.address
        for change in every_change(plan)
        if change.reason == "replace_because_tainted"
        and (kind := KINDS.get(change.type))
        and kind.name
        and change.address not in wanted_again
    )


def tainted(state: Mapping[str, Any], addresses: Collection[str]) -> Iterator[Tainted]:
    """These objects as the state (`show -json`) has them. Only what has come to its end has an ARN there."""
    for one in read(state).of(*KINDS):
        name = one.text(KINDS[one.type].name)
        if one.address in addresses and one.tainted and name:
            snapshot = bool(one.text("snapshot_identifier"))
            yield Tainted(one.address, one.type, name, not one.text("arn"), snapshot)


def created(plan: Mapping[str, Any]) -> Iterator[Planned]:
    """What the plan creates and can be looked up, since enough of it is known already."""
    ids, taken = _held(plan)
    for change in every_change(plan):
        kind, planned = KINDS.get(change.type), change.planned
        if not planned or not kind or not change.made or any(planned.get(one) is UNKNOWN for one in kind.known_first):
            continue
        if kind.name not in ("", "id") and not planned.text(kind.name):
            continue
        looked_at = {one: planned.get(one) for one in (*kind.known_first, *kind.also)}
        wanted = {one: value for one, value in looked_at.items() if value is not UNKNOWN and value is not None}
        inside = bool(kind.within) and all(
            planned.text(one) in (taken[_NAMED[one]] if one in _NAMED else ids) for one in kind.within
        )
        tags = planned.values.get("tags_all") or {}
        known = frozenset(taken[change.type])
        yield Planned(change.address, change.type, wanted, tags, inside, known, planned.text("region"))


def _held(plan: Mapping[str, Any]) -> tuple[set[str], Mapping[str, set[str]]]:
    """The ids of all that the state has or is about to import, and by kind what its objects are known by."""
    ids: set[str] = set()
    taken: defaultdict[str, set[str]] = defaultdict(set)
    known = [one for one in read(state_before(plan)).everything() if not one.is_data]
    imported = [change.planned for change in every_change(plan) if change.imported and change.planned]
    for one in (*known, *imported):
        known_by = _known_by(one)
        ids |= known_by
        taken[one.type] |= known_by
    return ids, taken


def _known_by(one: Resource) -> set[str]:
    named = KINDS[one.type].name if one.type in KINDS else ""
    return {one.text(key) for key in ("id", "arn", named) if key} - {""}


def action_for_tainted(one: Tainted, seen: ExistingObject | None) -> LeftoverAction | None:
    """None: it is gone, and made anew."""
    if seen is None:
        return None
    again = f"the plan recreates it; to keep it: terraform untaint {quote(one.address)}"
    if not one.cut_off:
        return Leave(one.address, "it was complete when it was tainted", again)
    if one.from_snapshot:
        return Leave(
            one.address, "its restore from a snapshot was interrupted, so its password may be the old one", again
        )
    kind = KINDS[one.kind]
    if not kind.ready or seen.status in kind.ready:
        said = f"it is {seen.status}" if seen.status else "it is there"
        return Keep(one.address, f"its creation was interrupted, but {said}")
    if seen.status in kind.coming:
        return Await(one.address, f"its creation was interrupted; it is {seen.status}")
    return Leave(one.address, f"its creation was interrupted, and it is {seen.status}", again)


def actions_for_created(
    planned: Sequence[tuple[Planned, Sequence[ExistingObject]]], stack: str = ""
) -> Iterator[LeftoverAction]:
    """Of all that is planned, each with what was seen of it. An object that two could be is nobody's."""
    actions = [(one.kind, action) for one, seen in planned if (action := action_for_created(one, seen, stack))]
    claims: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, action in actions:
        if isinstance(action, Adopt):
            claims[kind, action.id].append(action.address)
    for kind, action in actions:
        others = [one for one in claims[kind, action.id] if one != action.address] if isinstance(action, Adopt) else []
        if isinstance(action, Adopt) and others:
            because = f"{action.id} exists, but is not in the state; it could be this or {others[0]}"
            yield Leave(action.address, because, f"if it is this one: {action.command}")
        else:
            yield action


def action_for_created(one: Planned, every: Sequence[ExistingObject], stack: str = "") -> LeftoverAction | None:
    """None: it isn't there, as it should be. `stack` is the stack's name, where it is known."""
    kind = KINDS[one.kind]
    free = [seen for seen in every if seen.id not in one.taken]
    coming = [seen for seen in free if seen.status in kind.coming and (_whose(one, seen, stack) or not seen.tags)]
    ours = [seen for seen in free if seen.status not in kind.coming and _whose(one, seen, stack)]
    if len(coming) + len(ours) > 1:
        names = ", ".join(seen.id for seen in (*coming, *ours))
        because = f"several {one.kind} exist that could be it, and are not in the state: {names}"
        fix = f"import the right one (terraform import {quote(one.address)} ID) and delete the others"
        return Leave(one.address, because, fix)
    if coming:
        return Await(one.address, f"{_there(one, coming[0])}; it is {coming[0].status}")
    if ours and kind.ready and ours[0].status not in kind.ready:
        fix = "wait until it is gone, or delete it" if ours[0].status else "look at it in AWS"
        return Leave(one.address, f"{_there(one, ours[0])}; it is {ours[0].status}", fix)
    if ours:
        return Adopt(one.address, ours[0].id, f"{_there(one, ours[0])}; {_whose(one, ours[0], stack)}")
    if free and kind.alone:
        by_hand = f"terraform import {quote(one.address)} {quote(free[0].id)}"
        fix = f"if it is this stack's: {by_hand}; else choose another name"
        return Leave(one.address, f"{_there(one, free[0])}; nothing says that it is this stack's", fix)
    return None


def _there(one: Planned, seen: ExistingObject) -> str:
    return f"{one.kind} {one.name or seen.id!r} exists, but is not in the state"


def _whose(one: Planned, seen: ExistingObject, stack: str) -> str:
    """Why it is this stack's; empty: nothing says so.

    Without a name of its own, an object is known only inside of what the state has, or by a tag that names the stack.
    """
    kind = KINDS[one.kind]
    if not kind.tagged or (kind.alone and kind.within and not one.tags):
        return "what it is a part of is in the state" if one.inside else ""
    if one.tags and all(seen.tags.get(key) == value for key, value in one.tags.items()):
        named = any(_named_after(value, stack) for value in one.tags.values())
        return "it has this configuration's tags" if kind.alone or one.inside or named else ""
    if seen.blank and one.inside:
        return "AWS has made it with what it is a part of, which is in the state"
    if (seen.blank or not one.tags) and _named_after(one.name, stack):
        return "it is named after the stack" + (", empty and without tags" if seen.blank else "")
    return ""


def _named_after(word: str, stack: str) -> bool:
    return bool(stack) and (word == stack or word.startswith(f"{stack}-"))
