"""The SSM agents stop answering: felt by `local.nodes`, where every agent then shows ConnectionLost.

AWS notices a silent agent after about five minutes; here it is noticed at once.
"""

from orchestrator.local.faults import Fault

FAULT = Fault(
    name="runner-offline",
    title="The SSM agents no longer answer: PingStatus ConnectionLost",
    per_tenant=False,
)
