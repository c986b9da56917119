"""One of several resources: the only one, the one orchestrate.toml names, or a question."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.inference.mapping import Key
from orchestrator.inference.model import Draft, at
from orchestrator.inference.state import Resource


def pick(key: Key, options: Sequence[Resource], draft: Draft, asks: str, shows: str) -> Resource | None:
    """The resource; None: it stays open. `shows` is the attribute that people know a resource by."""
    chosen = draft.mapped.chosen.get(key)
    for one in options:
        if one.address == chosen:
            return one
    if len(options) == 1 and chosen is None:
        return options[0]
    draft.ask(key, asks, [at(one.address, one.text(shows)) for one in options])
    return None
