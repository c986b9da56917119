"""Porkbun reports its errors with HTTP status 200."""

from orchestrator.local.faults import Fault

FAULT = Fault("porkbun-error-200", "Porkbun's errors come with HTTP status 200", per_tenant=False)
