"""The steps of a restore after `terraform apply` from the snapshots, and before the workflow's own."""

from __future__ import annotations

from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle import counts_returned, services_stopped
from orchestrator.lifecycle.restore import files_returned, keys_returned, proof
from orchestrator.steps import database_server, runner, tenant_databases

DATA: tuple[AnyStep, ...] = (
    services_stopped.STEP,
    database_server.STEP,
    runner.STEP,
    tenant_databases.STEP,
    files_returned.STEP,
    keys_returned.STEP,
    proof.STEP,
)
"""Nothing runs, the data are back, and that is proven."""
COUNTS: tuple[AnyStep, ...] = (counts_returned.STEP,)
