"""The name server fails at every question."""

from orchestrator.local.faults import Fault

FAULT = Fault("dns-servfail", "the DNS server answers SERVFAIL", per_tenant=False)
