"""The api container ends by an error of its own, which nobody has a name for (onyx.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks

FAULT = felt_by_tasks("container-exits", "the api container exits with an error of its own", "ECS Task Troubleshooting")
