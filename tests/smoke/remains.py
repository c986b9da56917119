"""What is there of a stack, and its end: looked for, deleted, looked for again, until nothing is found.

A Terraform that was killed doesn't know all that it has made, so its state is not asked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from orchestrator.local.core.waiting import eventually
from tests.smoke.kinds import KINDS, Kind, Stack

PATIENCE = 3600.0
"""Seconds: a database that is being created must be finished before it can be deleted, and both take their time."""
SETTLED = 10.0
Say = Callable[[str], None]


def remains(stack: Stack) -> list[str]:
    """Each thing, with its kind."""
    return [f"{kind.name} {name}" for kind in KINDS for name in kind.find(stack)]


@dataclass
class Sweep:
    """`said`: what it has told of. `refused`: what AWS said last about each thing that could not be deleted."""

    stack: Stack
    say: Say
    said: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)

    def until_nothing_is_left(
        self, seconds: float = PATIENCE, settled: float = SETTLED, monotonic: Callable[[], float] = time.monotonic
    ) -> list[str]:
        """What is left all the same; with AWS's reason, where it gave one.

        Nothing must be found for `settled` seconds: what was made a moment ago, AWS may show late.
        """
        clean_since: float | None = None

        def is_over() -> bool:
            nonlocal clean_since
            if self._once():
                clean_since = None
                return False
            clean_since = monotonic() if clean_since is None else clean_since
            return monotonic() - clean_since >= settled

        eventually(is_over, seconds, settled)
        return [" ".join((one, self.refused.get(one, ""))).strip() for one in remains(self.stack)]

    def _once(self) -> bool:
        """Whether anything was there."""
        found = [(kind, name) for kind in KINDS for name in kind.find(self.stack)]
        for kind, name in found:
            self._end(kind, name)
        return bool(found)

    def _end(self, kind: Kind, name: str) -> None:
        """What is in use, or on its way, is refused: the next look finds it again."""
        what = f"{kind.name} {name}"
        try:
            kind.end(self.stack, name)
        except ClientError as error:
            self.refused[what] = f"({error.response['Error']['Code']}: {error.response['Error'].get('Message', '')})"
            return
        self.refused.pop(what, None)
        if what not in self.said:
            self.said.add(what)
            self.say(f"deleted: {what}")
