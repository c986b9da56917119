"""ACM could not renew the certificate, for its validation records are gone: it ends in nine days (dns/moto_acm.py)."""

from __future__ import annotations

from orchestrator.local.faults.manual_changes import meddled, withdraw_validations

FAULT = meddled(
    "certificate-expiring",
    "the certificate expires in nine days",
    "",
    withdraw_validations,
    per_tenant=False,
    restarts=False,
)
