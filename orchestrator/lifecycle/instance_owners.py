"""Whose which instances are: a tenant's, the stack's, or somebody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from orchestrator.aws.rds import CLUSTER, ServerState
from orchestrator.engine.step import STACK, Subject
from orchestrator.errors import Problem
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import Part, PartKind, remedy

GONE = frozenset({"shutting-down", "terminated"})


def owners(stack: Stack) -> Mapping[Subject, tuple[str, ...]]:
    """By tenant its indexes' instances; the stack's are the runner, whoever's index it has, and what is no tenant's."""
    shared = {stack.runner.instance_id} if stack.runner else set()
    shared |= {one.server.instance_id for one in stack.indexes if one.tenant not in stack.tenants}
    own: dict[Subject, set[str]] = {}
    for one in stack.indexes:
        if one.tenant in stack.tenants:
            own.setdefault(one.tenant, set()).add(one.server.instance_id)
    return {STACK: tuple(sorted(shared)), **{tenant: tuple(sorted(ids)) for tenant, ids in own.items()}}


Tags = Callable[[Sequence[str]], Mapping[str, Mapping[str, str]]]
"""Instances' tags."""


def foreign(stack: Stack, ids: Sequence[str], tags: Tags) -> Mapping[str, str]:
    """Those of the instances that aren't the stack's own, and why. AWS is asked for tags of what no state manages."""
    known = stack.ownership
    unclear = [one for one in ids if not known.manages(PartKind.INSTANCE, one)]
    said = tags(unclear) if unclear else {}
    why = {one: known.objection(PartKind.INSTANCE, one, stack.stack, said.get(one)) for one in unclear}
    return {one: text for one, text in why.items() if text}


def part_of(server: ServerState) -> Part:
    """The database server, as what may be somebody else's."""
    return (PartKind.CLUSTER if server.kind == CLUSTER else PartKind.DATABASE), server.instance


def not_ours(kind: PartKind, name: str, why: str) -> Problem:
    """Something was left alone."""
    return Problem("not-this-stacks", f"{kind.words} {name} is left as it is: {why}", name, remedy(kind, name))


def gone(missing: Sequence[str]) -> Problem:
    """Instances that the contract names and EC2 doesn't know."""
    names = ", ".join(missing)
    fix = "the contract is older than the stack: run terraform apply, or pass the current outputs"
    return Problem("instance-missing", f"there is no instance {names}", names, fix)
