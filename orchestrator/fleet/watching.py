"""The watch: which stacks a round looks at, and what of it is news. Pure.

Memory is a plain value that the database keeps as JSON: stack → `seen` (what was wrong at the last look), `told` (what
somebody has heard of), `at` (when it was looked at) and `calls` (how many AWS calls that took).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.errors import Outcome
from orchestrator.fleet.file import FleetStack
from orchestrator.fleet.orders import StackResult

NOT_UP = "not-up"
"""The code of a stack that has work to do, where the doctor knows no cause: perhaps it is being changed this moment."""
UNMEASURED = 60
"""Calls that a stack is taken to need which was never looked at: a site of some tenants needs fewer."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Of one stack: what has become worse; nothing: all that was told of is over."""

    result: StackResult
    worse: tuple[Mapping[str, str], ...] = ()


def due(stacks: Sequence[FleetStack], memory: Mapping[str, Any], calls: int | None) -> tuple[FleetStack, ...]:
    """Those that this round looks at: of each account and region as many as `calls` allow, and at least one.

    Whoever was not looked at for longest comes first. None: all.
    """
    if calls is None:
        return tuple(stacks)
    left: dict[str, float] = defaultdict(lambda: float(calls))
    chosen: list[str] = []
    for one in sorted(stacks, key=lambda each: memory.get(each.name, {}).get("at", 0.0)):
        cost = memory.get(one.name, {}).get("calls") or UNMEASURED
        if left[one.place] == calls or left[one.place] >= cost:
            left[one.place] -= cost
            chosen.append(one.name)
    return tuple(one for one in stacks if one.name in chosen)


def alerts(results: Sequence[StackResult], memory: Mapping[str, Any]) -> tuple[tuple[Alert, ...], dict[str, Any]]:
    """What is to be told, and what is remembered from now on. Each trouble is told once, until it is over.

    A stack that is not up for a cause that nobody knows is told at the second look.
    """
    after, found = dict(memory), []
    for result in results:
        known = memory.get(result.stack, {})
        troubles = {_key(one): one for one in result.problems}
        told = [key for key in known.get("told", ()) if key in troubles]
        worse = [
            key
            for key, one in troubles.items()
            if key not in told and (one["code"] != NOT_UP or key in known.get("seen", ()))
        ]
        looked = result.outcome in _SEEN
        if not looked and not troubles:  # interrupted, say: nothing is known, so nothing is over
            continue
        if worse:
            found.append(Alert(result, tuple(troubles[key] for key in worse)))
        elif known.get("told") and not troubles:
            found.append(Alert(result))
        after[result.stack] = {
            "seen": list(troubles),
            "told": [*told, *worse],
            "at": result.ended,
            "calls": result.aws_calls,
        }
    return tuple(found), after


_SEEN = frozenset({Outcome.SUCCEEDED.word, Outcome.PENDING.word, Outcome.FAILED.word})
"""Outcomes of a look that came to its end."""


def _key(problem: Mapping[str, str]) -> str:
    return " ".join((problem["step"], problem["subject"], problem["code"]))
