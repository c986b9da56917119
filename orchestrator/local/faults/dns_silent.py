"""The name server says nothing by UDP."""

from orchestrator.local.faults import Fault

FAULT = Fault("dns-silent", "the DNS server does not answer by UDP", per_tenant=False)
