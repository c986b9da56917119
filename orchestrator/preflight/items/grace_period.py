"""The grace period: migrations of an empty database take 10 minutes, and a task that is killed in them starts over."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.checklist.facts import ADDRESSES, onyx_backend, planned_health_check, service_settings
from orchestrator.checklist.lines import each_tenant
from orchestrator.checklist.model import Checklist, Evidence, Item, NotKnown, Remark, TenantService, from_finding
from orchestrator.doctor.checks import health_check as checks
from orchestrator.engine.check import Severity
from orchestrator.stack.blueprint.references import hidden, sources, targets
from orchestrator.stack.blueprint.resources import UNKNOWN


def judge(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """A blocker only where the load balancer's own patience doesn't make up for it, and the migrations are to come."""
    if unit.definition is not None and unit.definition.get("container_definitions") is not UNKNOWN:
        onyx_backend(unit.definition)  # nothing else migrates
    service = service_settings(unit.service, evidence)
    if not service.ways:
        return
    groups = targets(
        evidence.blueprint, unit.service, "aws_lb_target_group", "load_balancer", 0, "target_group_arn"
    ).any
    check = planned_health_check(groups[0], evidence) if groups else HealthCheck("")
    patience = service.grace + check.interval * check.unhealthy
    hopeless = unit.service.new and patience < checks.GRACE
    for found in checks.judge(checks.HealthCheckFacts({unit.tenant: check}, {unit.tenant: service}, {})):
        if found.code == "grace-period-short":
            _require_database(unit, evidence)
            yield from_finding(
                found,
                address=unit.service.address,
                current=f"{service.grace} s",
                wanted=f"{checks.GRACE} s or more",
                hcl=f"health_check_grace_period_seconds = {checks.GRACE}",
                severity=Severity.BLOCKER if hopeless else Severity.WARNING,
            )


def _require_database(unit: TenantService, evidence: Evidence) -> None:
    """Raises `NotKnown` for containers that are not known yet, and that nothing leads to a database."""
    definition = unit.definition
    if definition is None or definition.get("container_definitions") is not UNKNOWN:
        return
    path = "container_definitions"
    made_from = sources(evidence.blueprint, definition, path)
    leads_there = any(one.type in ADDRESSES for one in made_from)
    if made_from and not leads_there and not hidden(evidence.blueprint, definition, path):
        raise NotKnown(definition.address, "whether it migrates a database")


ITEM = Item(
    id="grace-period",
    title="The load balancer gives a new task time for its migrations",
    occasion=Checklist.DEPLOY,
    judge=each_tenant(judge, "600 s or more"),
    lines=("Health check grace period is 600+ seconds",),
)
