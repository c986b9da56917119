"""From grants to one policy document, as short as it must be. Pure."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from orchestrator.policy.grants import ANY, Condition, Grant, PolicyScope

LIMIT = 6144
"""Characters of a customer managed policy, white space not counted (IAM's quotas)."""

Key = tuple[str, str]
T = TypeVar("T", str, tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Statement:
    """One Allow."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    condition: Condition

    def as_json(self) -> dict[str, Any]:
        """In IAM's words."""
        said: dict[str, Any] = {"Effect": "Allow", "Action": list(self.actions), "Resource": list(self.resources)}
        if self.condition:
            said["Condition"] = {
                operator: {key: list(values) for key, values in keys.items()}
                for operator, keys in self.condition.items()
            }
        return said


@dataclass(frozen=True, slots=True)
class Policy:
    """The document. `widened`: what had to be put more broadly than it is needed, for the policy to fit into one."""

    statements: tuple[Statement, ...]
    widened: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """What `aws iam create-policy --policy-document` takes."""
        return {"Version": "2012-10-17", "Statement": [one.as_json() for one in self.statements]}

    @property
    def size(self) -> int:
        """Characters, as IAM counts them."""
        return len(json.dumps(self.as_json(), separators=(",", ":")))

    @property
    def actions(self) -> frozenset[str]:
        """All that it allows."""
        return frozenset(action for one in self.statements for action in one.actions)


def policy(grants: Iterable[Grant], scope: PolicyScope, limit: int = LIMIT) -> Policy:
    """The least policy for these grants; if it is too long, the longest lists become patterns until it fits."""
    made = Policy(_statements(grants, scope))
    while made.size > limit:
        shorter = _shortened(made)
        if shorter is None:
            break
        made = shorter
    return made


def _statements(grants: Iterable[Grant], scope: PolicyScope) -> tuple[Statement, ...]:
    """Actions with the same resources and condition share a statement; one that is allowed on `*` needs no other."""
    asked: dict[Key, set[str]] = defaultdict(set)
    conditions: dict[str, Condition] = {}
    for grant in grants:
        condition = grant.under(scope)
        name = json.dumps(condition, sort_keys=True)
        conditions[name] = condition
        for action in grant.actions:
            asked[action, name].update(grant.on(scope))
    shared: dict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
    for (action, name), resources in asked.items():
        if resources:
            shared[(ANY,) if ANY in resources else tuple(sorted(resources)), name].append(action)
    made = (Statement(tuple(sorted(actions)), on, conditions[name]) for (on, name), actions in shared.items())
    return tuple(sorted(made, key=lambda one: (one.actions, one.resources)))


def _shortened(made: Policy) -> Policy | None:
    """Its longest list as patterns; None when none can be shorter."""
    ways = [_with_patterns(one) for one in made.statements]
    saved = [len(str(one)) - len(str(way)) for one, way in zip(made.statements, ways, strict=True)]
    best = max(range(len(saved)), key=saved.__getitem__)
    if saved[best] <= 0:
        return None
    statements = (*made.statements[:best], ways[best], *made.statements[best + 1 :])
    return Policy(statements, (*made.widened, _said(made.statements[best], ways[best])))


def _with_patterns(one: Statement) -> Statement:
    condition = {
        operator: {key: _domains(values) for key, values in keys.items()} for operator, keys in one.condition.items()
    }
    return replace(one, resources=_prefixes(one.resources), condition=condition)


def _prefixes(arns: Sequence[str]) -> tuple[str, ...]:
    """The ARNs of one kind as their common beginning and `*`; but not instances, whose ids have no common meaning."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for arn in arns:
        kinds[arn if ":instance/" in arn else _kind(arn)].append(arn)
    return tuple(some[0] if len(some) == 1 else f"{_beginning(some).rstrip('*')}*" for some in kinds.values())


def _kind(arn: str) -> str:
    """Up to the resource's type: `arn:aws:ecs:us-west-2:123456789012:service`."""
    *place, resource = arn.split(":", 5)
    return ":".join((*place, re.split("[:/]", resource)[0]))


def _domains(names: Sequence[str]) -> tuple[str, ...]:
    """The names as `*.` and the domain they share, and that itself if it is one of them. Values that are ARNs stay."""
    if len(names) < 2 or any(":" in name for name in names):
        return tuple(names)
    domain = ".".join(reversed(_beginning([tuple(reversed(name.split("."))) for name in names])))
    return (f"*.{domain}", *((domain,) if domain in names else ())) if "." in domain else tuple(names)


def _beginning(some: Sequence[T]) -> T:
    """What all of them begin with."""
    first, last = min(some), max(some)
    same = (number for number, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(same, min(len(first), len(last)))]


def _said(before: Statement, after: Statement) -> str:
    given = ", ".join(after.resources if after.resources != before.resources else _values(after.condition))
    return f"{', '.join(before.actions)}: {given}"


def _values(condition: Mapping[str, Mapping[str, tuple[str, ...]]]) -> list[str]:
    return [value for keys in condition.values() for values in keys.values() for value in values]
