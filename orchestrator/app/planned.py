"""What a plan already tells, before it is applied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.app.context import connect_provider
from orchestrator.aws.access import Access
from orchestrator.aws.session import Aws
from orchestrator.engine.clock import SystemClock
from orchestrator.settings import Settings
from orchestrator.stack.blueprint.changes import planned_contract


def verify_planned(
    plan: Mapping[str, Any],
    settings: Settings,
    environment: Mapping[str, str],
    clock: SystemClock,
    access: Access | None = None,
) -> None:
    """What a plan already tells of the contract is verified before it is applied: account, DNS provider and zone.

    `plan` is `terraform show -json` of it; of an output that is partly unknown, the known part stands in `after`.
    """
    after = planned_contract(plan)
    if not after.get("region"):
        return
    aws = Aws(after["region"], access or Access(environment, settings["profile"], role=settings["role"]))
    if after.get("account_id"):
        aws.require_account(after["account_id"])
    wanted = after.get("dns")
    if isinstance(wanted, Mapping) and wanted.get("provider") and wanted.get("zone"):
        roles = {wanted["zone"]: wanted["role_arn"]} if wanted.get("role_arn") else {}
        provider = connect_provider(wanted["provider"], aws, settings, environment, clock, roles=roles)
        provider.check(wanted["zone"])
