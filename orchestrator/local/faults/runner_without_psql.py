"""psql is not installed on the instances: felt by `local.instance`, whose PATH then has everything but psql."""

from orchestrator.local.faults import Fault

FAULT = Fault(name="runner-without-psql", title="psql is not installed on the instances", per_tenant=False)
