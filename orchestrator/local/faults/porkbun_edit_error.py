"""Porkbun applies an edit and answers an error all the same."""

from orchestrator.local.faults import Fault

FAULT = Fault("porkbun-edit-error", "Porkbun's edit is applied, but answered with an error", per_tenant=False)
