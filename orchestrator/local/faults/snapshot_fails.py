"""Snapshots of the database fail while they are taken. Felt by `rds.moto_snapshots`."""

from orchestrator.local.faults import Fault

FAULT = Fault("snapshot-fails", "database snapshots fail while they are taken", per_tenant=False)
