"""A web ACL in front of the load balancer refuses everybody. Felt in balancer.py."""

from orchestrator.local.faults import Fault

FAULT = Fault("waf-refuses", "a WAF answers everybody with 403", per_tenant=False)
