"""The registry answers 429 to whoever doesn't sign in: felt by tasks that start (launch.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import felt_by_tasks

FAULT = felt_by_tasks("registry-rate-limit", "the registry's rate limit is reached (429)", "ECS Task Troubleshooting")
