"""Tasks stay PENDING, and seem to have been so for a while (tasks.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks

FAULT = felt_by_tasks("stuck-pending", "tasks stay PENDING", "ECS Task Troubleshooting")
