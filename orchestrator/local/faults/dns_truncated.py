"""Every answer by UDP is empty and marked as truncated: only TCP has all of it."""

from orchestrator.local.faults import Fault

FAULT = Fault("dns-truncated", "the DNS server's UDP answers are truncated", per_tenant=False)
