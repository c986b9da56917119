"""There is no room for another task: none is made, and an event of the service says why (service.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks

FAULT = felt_by_tasks("no-capacity", "there is no capacity for another task", "ECS Task Troubleshooting")
