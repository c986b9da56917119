"""Tasks stay PENDING, and seem to have been so for a while (tasks.py).

Those that start after a stuck one was stopped by hand are not stuck.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orchestrator.local.ecs.tasks import UNSTUCK, is_tenants
from orchestrator.local.faults.manual_changes import felt_by_tasks

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud

_FELT = felt_by_tasks("stuck-pending", "tasks stay PENDING", "ECS Task Troubleshooting")


def _stick(cloud: Cloud, tenant: str) -> None:
    UNSTUCK.difference_update({group for group in UNSTUCK if is_tenants(tenant, group)})
    _FELT.inject(cloud, tenant)


FAULT = replace(_FELT, inject=_stick)
