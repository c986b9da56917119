"""The target group's health check: a path that means something, and patience with a busy task."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.checklist.facts import NOT_ONYX, is_another, planned_health_check, service_settings
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import (
    Checklist,
    Evidence,
    Item,
    NotKnown,
    Remark,
    TenantService,
    from_finding,
    not_judged,
)
from orchestrator.doctor.checks import health_check as checks
from orchestrator.stack.blueprint.references import targets

_HCL = {
    "health-check-path-wrong": 'health_check {\n  path = "/api/health"\n}',
    "health-check-port-wrong": 'health_check {\n  port = "traffic-port"\n}',
    "health-check-impatient": "health_check {\n  interval            = 60\n  timeout             = 30\n"
    "  unhealthy_threshold = 10\n}",
}
_WEB_PORT = 3000


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The service's own group, as the doctor judges it; and web's port, which has no page that means something."""
    service = service_settings(unit.service, evidence)
    if not service.ways:
        return
    met = targets(evidence.blueprint, unit.service, "aws_lb_target_group", "load_balancer", 0, "target_group_arn").any
    if not met:
        raise NotKnown(unit.service.address, "load_balancer.target_group_arn")
    check = planned_health_check(met[0], evidence)
    others = frozenset({unit.tenant} if is_another(unit.definition) else ())
    for found in checks.judge(checks.HealthCheckFacts({unit.tenant: check}, {unit.tenant: service}, {}, others)):
        if found.code in _HCL:
            yield from_finding(
                found,
                address=met[0].address,
                current=f"path {check.path}, port {check.port}, every {check.interval} s, {check.unhealthy} failures",
                wanted="path /api/health at nginx, every 60 s, 10 failures",
                hcl=_HCL[found.code],
            )
    if others:
        yield not_judged(f"path, answer and patience: {NOT_ONYX}", subject=unit.tenant, address=met[0].address)
    elif service.ways[0].port == _WEB_PORT and check.path == "/health":
        yield from_finding(
            checks.path_finding(unit.tenant, check, failing=False),
            address=met[0].address,
            current=f"path {check.path} on web's port {_WEB_PORT}",
            wanted="/api/health at nginx's port 80 (web has no /health: it redirects)",
            hcl=_HCL["health-check-path-wrong"],
        )


ITEM = Item(
    id="health-check",
    title="The health check asks the right thing, patiently",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "it asks nginx for /api/health, patiently"),
)
