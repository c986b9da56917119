"""A fault for each end of a container that only its last log lines explain (onyx/fatal_logs.py, used in boot.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks
from orchestrator.local.onyx.fatal_logs import FATAL_LOGS

FAULTS = tuple(felt_by_tasks(name, words.title, words.guide) for name, words in FATAL_LOGS.items())
