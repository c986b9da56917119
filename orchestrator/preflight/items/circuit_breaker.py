"""A hopeless rollout is reported as failed, and never goes back to code that is older than its schema."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import NOT_ONYX, is_another, service_settings
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotConcerned,
    Remark,
    Status,
    TenantService,
    from_finding,
    not_judged,
)
from orchestrator.doctor.checks import rollout_settings as checks
from orchestrator.engine.check import Severity

_HCL = "deployment_circuit_breaker {\n  enable   = true\n  rollback = false\n}"


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """Off, or on with a rollback; ECS refuses it beside a controller of deployments that isn't its own."""
    controller = unit.service.text("deployment_controller", 0, "type") or "ECS"
    if controller != "ECS":
        raise NotConcerned(f"{controller} makes its deployments, and ECS has no circuit breaker for them")
    service = service_settings(unit.service, evidence)
    if not service.breaker:
        yield Remark(
            status=Status.FAILED,
            code="circuit-breaker-off",
            severity=Severity.WARNING,
            subject=unit.tenant,
            says="a rollout that can't succeed is tried for ever",
            why="without the circuit breaker ECS never calls a rollout failed",
            address=unit.service.address,
            current="deployment_circuit_breaker: off",
            wanted="on, without rollback",
            hcl=_HCL,
        )
    if is_another(unit.definition):
        yield not_judged(
            f"whether it may go back to its older version: {NOT_ONYX}",
            subject=unit.tenant,
            address=unit.service.address,
        )
        return
    for found in checks.judge(checks.RolloutSettingsCheckFacts({unit.tenant: service}, {}, {}, "")):
        yield from_finding(
            found, address=unit.service.address, current=found.evidence[0], wanted="rollback = false", hcl=_HCL
        )


ITEM = Item(
    id="circuit-breaker",
    title="A hopeless rollout is reported, and never rolled back",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "the breaker is on, rollback off"),
)
