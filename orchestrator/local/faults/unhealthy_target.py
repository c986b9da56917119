"""The health path answers 503: after the thresholds and the grace period ECS replaces the tasks, again and again.

Felt in onyx.py, which answers the health checks.
"""

from __future__ import annotations

from orchestrator.local.faults import Fault

FAULT = Fault(name="unhealthy-target", title="the health path answers 503", guide="Health Check Failures")
