"""AWS throttles every call at first. Felt in core/throttle.py, which the endpoint asks before any call."""

from orchestrator.local.faults import Fault

FAULT = Fault(name="throttle", title="AWS throttles every call at first", per_tenant=False)
