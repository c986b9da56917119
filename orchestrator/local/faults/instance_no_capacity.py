"""AWS has no room for instances that are started; felt in ec2/moto_power.py."""

from orchestrator.local.faults import Fault

FAULT = Fault("instance-no-capacity", "AWS has no capacity for a stopped instance", per_tenant=False)
