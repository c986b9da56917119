"""The steps of a restore after `terraform apply` from the snapshots; those of a resume follow them."""

from __future__ import annotations

from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle.pause import services_at_zero
from orchestrator.lifecycle.restore import counts_remembered, files_returned, keys_returned, proof
from orchestrator.steps import database_server, runner, tenant_databases

DATA: tuple[AnyStep, ...] = (
    services_at_zero.STEP,
    database_server.STEP,
    runner.STEP,
    tenant_databases.STEP,
    files_returned.STEP,
    keys_returned.STEP,
    proof.STEP,
    counts_remembered.STEP,
)
"""Nothing runs, the data are back, that is proven; and a resume will bring back as many tasks as there were."""
