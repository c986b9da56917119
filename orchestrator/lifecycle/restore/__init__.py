"""The steps of a restore after `terraform apply` from the snapshots; those of a resume follow them."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engine.graph import AnyStep
from orchestrator.lifecycle.pause import services_at_zero
from orchestrator.lifecycle.restore import (
    counts_remembered,
    database_released,
    databases_loaded,
    files_returned,
    keys_returned,
    proof,
)
from orchestrator.steps import database_server, runner, tenant_databases

BEFORE: tuple[AnyStep, ...] = (services_at_zero.STEP, database_released.STEP)
"""Before Terraform replaces what a live stack holds: nothing runs, and nothing is in its way."""
DATA: tuple[AnyStep, ...] = (
    services_at_zero.STEP,
    database_server.STEP,
    runner.STEP,
    # A service that still runs would fill a database that has just been made, before its data are loaded into it.
    replace(tenant_databases.STEP, needs=(*tenant_databases.STEP.needs, services_at_zero.STEP.id)),
    files_returned.STEP,
    keys_returned.STEP,
    proof.STEP,
    counts_remembered.STEP,
)
"""Nothing runs, the data are back, that is proven; and a resume will bring back as many tasks as there were."""
LOADED: tuple[AnyStep, ...] = tuple(
    wanted
    for step in DATA
    for wanted in (
        (databases_loaded.STEP, replace(step, needs=(*step.needs, databases_loaded.STEP.id)))
        if step.id == proof.STEP.id
        else (step,)
    )
)
"""The same where no snapshot gave birth to the database server."""
