"""A rule: the words by which a cause is recognised, and whose words they are."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.rollout.addressees import AddresseeKind
from orchestrator.rollout.causes import RepairedBy


@dataclass(frozen=True, slots=True)
class LogRule:
    """`pattern` is searched in one line. Its group `name` fills `{name}`, and holds nothing that a shell would read.

    `kind` is who says it. If the line names somebody else, it is he who said it, and the fix is not ours to give.
    """

    pattern: str
    code: str
    message: str
    fix: str
    repaired_by: RepairedBy
    kind: AddresseeKind | None = None
    tells: bool = False
    """Whether the message ends with whom the line names."""
