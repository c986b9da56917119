"""The api container needs more memory than it has: it is killed, and so is every new one, until cleared.

Felt in onyx.py, where the container runs.
"""

from __future__ import annotations

from orchestrator.local.faults import Fault

FAULT = Fault(
    name="oom", title="the api container is killed for its memory use (exit 137)", guide="Resource Sizing Issues"
)
