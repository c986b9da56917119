"""ACM could not renew the certificate: it ends in nine days. Felt in dns/moto_acm.py."""

from orchestrator.local.faults import Fault

FAULT = Fault("certificate-expiring", "the certificate expires in nine days", per_tenant=False)
