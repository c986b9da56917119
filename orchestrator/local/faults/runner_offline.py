"""The SSM agents hang: felt by `local.nodes`, where every agent then shows ConnectionLost until its instance reboots.

AWS notices a silent agent after about five minutes; here it is noticed at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.ec2.models import ec2_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.faults import Fault

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _hang(_cloud: Cloud, _tenant: str) -> None:
    """Those that were rebooted earlier, too."""
    for backend in list(ec2_backends[ACCOUNT].values()):
        for instance in backend.all_instances():
            setattr(instance, "agent_began_anew", False)  # noqa: B010 - an attribute of ssm/moto.py


FAULT = Fault(
    name="runner-offline",
    title="The SSM agents no longer answer: PingStatus ConnectionLost",
    per_tenant=False,
    inject=_hang,
)
