"""A fault for each end of a container that is only told by its last words (onyx/last_words.py, felt in boot.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks
from orchestrator.local.onyx.last_words import LAST_WORDS

FAULTS = tuple(felt_by_tasks(name, words.title, words.guide) for name, words in LAST_WORDS.items())
