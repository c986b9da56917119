"""Snapshots of the database never end. Felt by `rds.moto_snapshots`."""

from orchestrator.local.faults import Fault

FAULT = Fault("snapshot-hangs", "database snapshots never end", per_tenant=False)
