"""The search indexes: one small interface (`provider.py`), and a file for each kind there is."""

from __future__ import annotations

from typing import Any

from orchestrator.index import opensearch, vespa
from orchestrator.index.provider import IndexProvider
from orchestrator.index.report import Contents
from orchestrator.inside.shell import Shell
from orchestrator.stack.indexes import PlacedIndex

AnyIndex = IndexProvider[Any]
PROVIDERS: tuple[AnyIndex, ...] = (vespa.PROVIDER, opensearch.PROVIDER)
"""Every kind, in the order in which they are told."""
STEPS: tuple[str, ...] = tuple(f"{one.name}-containers" for one in PROVIDERS)
"""The steps after which their containers run."""

UNREACHABLE = frozenset({"task-index-unreachable"})
"""What the doctor calls the end of a task that only says that it found no index, whichever."""


def provider(name: str) -> AnyIndex:
    """By its name in the contract."""
    return next(one for one in PROVIDERS if one.name == name)


def contents(shell: Shell, index: PlacedIndex) -> Contents:
    """What it holds. Raises `Transient` while it doesn't answer."""
    return provider(index.kind).contents(shell, index.server)
