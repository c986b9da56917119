"""Whom the end of a stack hits beside its own tenants: what else uses the parts that a plan destroys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.consequences import Consequence, Effect
from orchestrator.engine.check import Severity
from orchestrator.lifecycle.other_users import OtherUsers
from orchestrator.stack.contract import Stack
from orchestrator.stack.ownership import Part, PartKind, word

PREFIX = "others:"
"""Of the names under which such a loss is allowed: neither the stack's name nor a backup accepts it."""


def hit(
    stack: Stack, ending: frozenset[Part], others: OtherUsers, ways: Mapping[str, Sequence[str]]
) -> Iterator[Consequence]:
    """A consequence for each part that goes and that others use. `ways`: others' rules by load balancer.

    What goes is what the plan destroys; where the state tells nothing of a stack's parts, any of them may.
    """

    def goes(part: Part) -> bool:
        return part in ending or not stack.ownership.told

    server = stack.database.part
    if goes(server) and (users := (*others.users(stack.database.host), *(others.strangers() or ()))):
        yield _loss(server, users)
    for part, name in _named(stack):
        if goes(part) and (users := others.users(name)):
            yield _loss(part, users)
    for balancer, rules in ways.items():
        if (PartKind.BALANCER, balancer) in ending and rules:
            yield _loss((PartKind.BALANCER, balancer), rules)


def _named(stack: Stack) -> Iterator[tuple[Part, str]]:
    """Parts that a task definition names, and how."""
    if stack.redis:
        yield (PartKind.REDIS, stack.redis.replication_group), stack.redis.host
    if stack.bucket:
        yield (PartKind.BUCKET, stack.bucket), stack.bucket
    yield from (((PartKind.INSTANCE, one.server.instance_id), one.server.host) for one in stack.indexes)


def _loss(part: Part, users: Sequence[str]) -> Consequence:
    kind, name = part
    return Consequence(
        code="used-by-others",
        effect=Effect.LOSS,
        name=f"{PREFIX}{word(kind, name)}",
        says=f"{kind.words} {name} is deleted, but others use it: {'; '.join(users)}",
        why="the plan destroys it",
        then="they have no replacement: move them away first",
        severity=Severity.BLOCKER,
    )
