"""What an interrupted Terraform leaves behind, read from its plan and state, and what becomes of it. Pure.

A create that was cut off leaves its object *tainted*: the next plan destroys it and makes it again, and with it a
database. A Terraform that was killed leaves objects that its state doesn't know: the next apply fails with
`AlreadyExists`. The first is kept once it is available, the second can be imported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any

from orchestrator.stack.blueprint.changes import every_change
from orchestrator.stack.blueprint.resources import read

if TYPE_CHECKING:
    from orchestrator.aws.existing import ExistingObject


@dataclass(frozen=True, slots=True)
class ResourceKind:
    """A kind of resource. `name` is the attribute by which it is looked up in AWS.

    `ready` are the statuses in which a cut-off create has become what it should be, `coming` those that lead there;
    without any, it is complete as soon as it is there. `importable`: its name is known before it exists.
    """

    name: str
    ready: frozenset[str] = frozenset()
    coming: frozenset[str] = frozenset()
    importable: bool = True


KINDS: Mapping[str, ResourceKind] = {
    "aws_db_instance": ResourceKind(
        "identifier",
        ready=frozenset({"available", "storage-optimization"}),
        coming=frozenset(
            {"creating", "backing-up", "modifying", "rebooting", "configuring-enhanced-monitoring", "upgrading"}
        ),
    ),
    "aws_elasticache_replication_group": ResourceKind(
        "replication_group_id", ready=frozenset({"available"}), coming=frozenset({"creating", "modifying"})
    ),
    "aws_lb": ResourceKind("name", ready=frozenset({"active"}), coming=frozenset({"provisioning"})),
    "aws_instance": ResourceKind("id", ready=frozenset({"running"}), coming=frozenset({"pending"}), importable=False),
    "aws_s3_bucket": ResourceKind("bucket"),
    "aws_iam_role": ResourceKind("name"),
    "aws_cloudwatch_log_group": ResourceKind("name"),
}


@dataclass(frozen=True, slots=True)
class Tainted:
    """A tainted object. `cut_off`: its create never came to its end, so nobody has tainted it on purpose."""

    address: str
    kind: str
    name: str
    cut_off: bool = True
    from_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """An object that the plan creates, with the tags it would have."""

    address: str
    kind: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


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


def taints_in(plan: Mapping[str, Any], wanted_again: Collection[str] = ()) -> frozenset[str]:
    """Addresses that the plan replaces because they are tainted; not those that were asked for with -replace."""
    return frozenset(
        change.address
        for change in every_change(plan)
        if change.reason == "replace_because_tainted" and change.type in KINDS and change.address not in wanted_again
    )


def tainted(state: Mapping[str, Any], addresses: Collection[str]) -> Iterator[Tainted]:
    """These objects as the state (`show -json`) has them. Only what has come to its end has an ARN there."""
    for one in read(state).of(*KINDS):
        name = one.text(KINDS[one.type].name)
        if one.address in addresses and one.tainted and name:
            snapshot = bool(one.text("snapshot_identifier"))
            yield Tainted(one.address, one.type, name, not one.text("arn"), snapshot)


def created(plan: Mapping[str, Any]) -> Iterator[Planned]:
    """What the plan creates and we can look up by a name that is known already."""
    for change in every_change(plan):
        kind = KINDS.get(change.type)
        planned = change.planned
        if planned and kind and kind.importable and change.made and (name := planned.text(kind.name)):
            yield Planned(change.address, change.type, name, planned.values.get("tags_all") or {})


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


def action_for_created(one: Planned, seen: ExistingObject | None, stack: str = "") -> LeftoverAction | None:
    """None: it isn't there, as it should be. `stack` is the stack's name, where there are no tags to know it by.

    What is still being created can't be changed yet, and may not tell its tags (Redis).
    """
    if seen is None:
        return None
    there = f"{one.kind} {one.name!r} exists, but is not in the state"
    by_tags = one.tags and all(seen.tags.get(key) == value for key, value in one.tags.items())
    by_name = not one.tags and stack and (one.name == stack or one.name.startswith(f"{stack}-"))
    if seen.status in KINDS[one.kind].coming and (by_tags or by_name or not seen.tags):
        return Await(one.address, f"{there}; it is {seen.status}")
    if by_tags:
        return Adopt(one.address, seen.id, f"{there}; it has this configuration's tags")
    if by_name:
        return Adopt(one.address, seen.id, f"{there}; it is named after the stack")
    fix = f"if it is this stack's: terraform import {quote(one.address)} {quote(seen.id)}; else choose another name"
    return Leave(one.address, f"{there}; nothing says that it is this stack's", fix)
