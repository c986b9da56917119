"""Whose the services are: which of them this stack may not make to start or stop their tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.rollout.progress import Rollout
from orchestrator.stack.contract import Stack


def objections(stack: Stack, rollouts: Mapping[str, Rollout], tenants: Iterable[str]) -> Mapping[str, str]:
    """Per tenant whose service isn't the stack's own, why.

    Ask of as few as possible: a state is read for it, which may take seconds. Raises what reading the state raises.
    """
    services = {tenant: rollouts[tenant].service for tenant in tenants}
    found = {
        tenant: stack.objection_to_redeploy(stack.service_part(tenant), stack.stack, service.tags)
        for tenant, service in services.items()
        if service is not None
    }
    return {tenant: why for tenant, why in found.items() if why}
