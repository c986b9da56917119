"""The name server says nothing by UDP."""

from orchestrator.local.faults import Fault

FAULT = Fault("dns-silent", "the DNS server does not answer over UDP", per_tenant=False)
