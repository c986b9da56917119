"""How the load balancer checks tasks: a path, a port and thresholds that a slow first migration survives.

nginx's `/api/health` is the meaningful path; web on 3000 has no `/health`, it redirects. The guide asks for 600 s of
grace, and 60 s x 10 failures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from orchestrator.aws.elbv2 import HealthCheck
from orchestrator.aws.service_settings import ServiceSettings
from orchestrator.aws.task_definition import TaskDefinition
from orchestrator.checklist.facts import (
    ADDRESSES,
    NOT_ONYX,
    onyx_backend,
    planned_health_check,
    runs_another,
    service_settings,
    task_definition,
)
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
from orchestrator.doctor.scene import Scene
from orchestrator.engine.check import Check, Finding, Severity
from orchestrator.stack.applications import is_another
from orchestrator.stack.blueprint.references import hidden, sources, targets
from orchestrator.stack.blueprint.resources import UNKNOWN

GRACE = 600
"""Seconds; the guide's."""
PATIENCE = 300
"""Seconds of failures in a row (interval x threshold) below which a busy task is killed; the guide asks for 600."""
SICK = (302, 404, 500, 503)
"""A redirect to the login page, and errors."""
PATHS = frozenset({"/api/health"})
NGINX_PORT = 80
_UNHEALTHY = frozenset({"task-target-unhealthy", "targets-unhealthy", "task-killed-while-migrating"})


@dataclass(frozen=True, slots=True)
class HealthCheckFacts:
    """By tenant the target group's check and the service; those whose targets fail it now, with the reasons."""

    checks: Mapping[str, HealthCheck]
    services: Mapping[str, ServiceSettings]
    failing: Mapping[str, tuple[str, ...]]
    others: frozenset[str] = frozenset()
    """Those that are known not to be Onyx: their paths, their answers and their patience are their own."""
    ports: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """What their containers are said to listen on."""


def gather(scene: Scene) -> HealthCheckFacts:
    """One call for the target groups; the rest is shared."""
    failing = {
        tenant: rollout.targets.reasons
        for tenant, rollout in scene.rollouts().items()
        if rollout.targets.states.get("unhealthy") and not rollout.targets.healthy
    }
    others = {it for it, one in scene.definitions().items() if is_another([made.image for made in one.containers])}
    others |= scene.spared()  # whose they are was not asked
    ports = {it: exposed(one) for it, one in scene.definitions().items()}
    return HealthCheckFacts(scene.health_checks(), scene.settings(), failing, frozenset(others), ports)


def exposed(definition: TaskDefinition) -> frozenset[str]:
    """The ports that its containers are said to listen on."""
    return frozenset(str(port) for one in definition.containers for port in one.ports)


def judge(facts: HealthCheckFacts) -> Iterable[Finding]:
    """A setting that fails the targets now is a blocker, one that only may is a warning."""
    for tenant, check in facts.checks.items():
        service = facts.services.get(tenant)
        if service is None:
            continue
        way = next((one for one in service.ways if one.target_group == check.target_group), None)
        if way is None:
            yield _unattached(tenant, service, check)
            continue
        failing = tenant in facts.failing
        another = tenant in facts.others
        listening = facts.ports.get(tenant, ()) if another else ()  # of Onyx nginx's port is the one that tells
        if check.port not in ("traffic-port", str(way.port), *listening):
            surely = failing or not another
            yield _port(tenant, check, way.port, Severity.BLOCKER if surely else Severity.WARNING)
        if another:
            continue
        if way.port == NGINX_PORT and check.path not in PATHS:
            yield path_finding(tenant, check, failing=failing)
        yield from _accepted(tenant, check, failing=failing)
        yield from _patience(tenant, check, service)


def _unattached(tenant: str, service: ServiceSettings, check: HealthCheck) -> Finding:
    return Finding(
        code="target-group-unused",
        severity=Severity.BLOCKER,
        subject=tenant,
        symptom=f"{service.name} doesn't register its tasks in the listener's target group",
        cause="the service's load_balancer block names another target group, or none",
        fix="load_balancer { target_group_arn = aws_lb_target_group.this.arn … } in aws_ecs_service; terraform apply",
        evidence=(
            f"contract: {check.target_group}",
            f"service: {', '.join(one.target_group for one in service.ways) or 'none'}",
        ),
        explains=_UNHEALTHY,
    )


def _port(tenant: str, check: HealthCheck, port: int, severity: Severity) -> Finding:
    """No container is said to listen there; one may all the same."""
    return Finding(
        code="health-check-port-wrong",
        severity=severity,
        subject=tenant,
        symptom="the load balancer checks a port on which nothing may be listening",
        cause=f"the health check uses port {check.port}, but requests go to {port}",
        fix='health_check { port = "traffic-port" } in aws_lb_target_group; terraform apply',
        evidence=(f"HealthCheckPort {check.port}", f"containerPort {port}"),
        explains=_UNHEALTHY,
    )


def path_finding(tenant: str, check: HealthCheck, *, failing: bool) -> Finding:
    """A path that tells nothing of the application."""
    return Finding(
        code="health-check-path-wrong",
        severity=Severity.BLOCKER if failing else Severity.WARNING,
        subject=tenant,
        symptom="the health check requests a page that says nothing about the application's health",
        cause=f"its path is {check.path}: web redirects it or doesn't know it; /api/health goes through to the api",
        fix='health_check { path = "/api/health" } in aws_lb_target_group; terraform apply',
        evidence=(f"HealthCheckPath {check.path}", f"Matcher {check.matcher or 'none'}"),
        explains=_UNHEALTHY,
    )


def _accepted(tenant: str, check: HealthCheck, *, failing: bool) -> Iterable[Finding]:
    """The matcher takes 200, and nothing that a sick application answers too."""
    if not check.matcher or (_matches(check.matcher, 200) and not any(_matches(check.matcher, one) for one in SICK)):
        return
    refuses = not _matches(check.matcher, 200)
    yield Finding(
        code="health-check-matcher-wrong",
        severity=Severity.BLOCKER if failing and refuses else Severity.WARNING,
        subject=tenant,
        symptom="the health check rejects a healthy task's answer"
        if refuses
        else "the health check accepts an unhealthy task's answer",
        cause=f"its matcher is {check.matcher}: {'200 is not in it' if refuses else 'redirects and errors are in it'}",
        fix='health_check { matcher = "200-299" } in aws_lb_target_group; terraform apply',
        evidence=(f"Matcher {check.matcher}", f"HealthCheckPath {check.path}"),
        explains=_UNHEALTHY,
    )


def _matches(matcher: str, status: int) -> bool:
    """Whether an HTTP status is in a matcher such as `200`, `200-299` or `200,302`."""
    spans = (part.strip().partition("-") for part in matcher.split(","))
    return any(int(low) <= status <= int(high or low) for low, _, high in spans if low.isdecimal())


def _patience(tenant: str, check: HealthCheck, service: ServiceSettings) -> Iterable[Finding]:
    seconds = check.interval * check.unhealthy
    if service.grace < GRACE:
        yield Finding(
            code="grace-period-short",
            severity=Severity.WARNING,
            subject=tenant,
            symptom="tasks may be killed while their first migrations are still running",
            cause=f"the grace period is {service.grace} s; migrations of a new database take 10 minutes or more",
            fix=f"health_check_grace_period_seconds = {GRACE} in aws_ecs_service; terraform apply",
            evidence=(f"healthCheckGracePeriodSeconds {service.grace}", f"interval x threshold {seconds} s"),
            explains=_UNHEALTHY,
        )
    if 0 < seconds < PATIENCE:
        yield Finding(
            code="health-check-impatient",
            severity=Severity.WARNING,
            subject=tenant,
            symptom="a task that is busy for a moment is killed",
            cause=f"{check.unhealthy} failures {check.interval} s apart are enough: {seconds} s",
            fix="health_check { interval = 60, timeout = 30, unhealthy_threshold = 10 } in aws_lb_target_group",
            evidence=(f"HealthCheckIntervalSeconds {check.interval}", f"UnhealthyThresholdCount {check.unhealthy}"),
            explains=_UNHEALTHY,
        )


def planned_grace(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
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
    hopeless = unit.service.new and patience < GRACE
    for found in judge(HealthCheckFacts({unit.tenant: check}, {unit.tenant: service}, {})):
        if found.code == "grace-period-short":
            _require_database(unit, evidence)
            yield from_finding(
                found,
                address=unit.service.address,
                current=f"{service.grace} s",
                wanted=f"{GRACE} s or more",
                hcl=f"health_check_grace_period_seconds = {GRACE}",
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


_HCL = {
    "health-check-path-wrong": 'health_check {\n  path = "/api/health"\n}',
    "health-check-port-wrong": 'health_check {\n  port = "traffic-port"\n}',
    "health-check-impatient": "health_check {\n  interval            = 60\n  timeout             = 30\n"
    "  unhealthy_threshold = 10\n}",
}

_WEB_PORT = 3000


def planned_check(unit: TenantService, evidence: Evidence) -> Iterable[Remark]:
    """The service's own group, as the doctor judges it; and web's port, which has no page that means something."""
    service = service_settings(unit.service, evidence)
    if not service.ways:
        return
    met = targets(evidence.blueprint, unit.service, "aws_lb_target_group", "load_balancer", 0, "target_group_arn").any
    if not met:
        raise NotKnown(unit.service.address, "load_balancer.target_group_arn")
    check = planned_health_check(met[0], evidence)
    others = frozenset({unit.tenant} if runs_another(unit.definition) else ())
    known_ = unit.definition is not None and unit.definition.get("container_definitions") is not UNKNOWN
    ports = {unit.tenant: exposed(task_definition(unit.definition))} if unit.definition and known_ else {}
    for found in judge(HealthCheckFacts({unit.tenant: check}, {unit.tenant: service}, {}, others, ports)):
        if found.code in _HCL:
            yield from_finding(
                found,
                address=met[0].address,
                current=f"path {check.path}, port {check.port}, every {check.interval} s, {check.unhealthy} failures",
                wanted="path /api/health at nginx, every 60 s, 10 failures",
                hcl=_HCL[found.code],
            )
    if others:
        yield not_judged(f"path, matcher and timing: {NOT_ONYX}", subject=unit.tenant, address=met[0].address)
    elif service.ways[0].port == _WEB_PORT and check.path == "/health":
        yield from_finding(
            path_finding(unit.tenant, check, failing=False),
            address=met[0].address,
            current=f"path {check.path} on web's port {_WEB_PORT}",
            wanted="/api/health at nginx's port 80 (web has no /health: it redirects)",
            hcl=_HCL["health-check-path-wrong"],
        )


CHECK: Check[Scene, HealthCheckFacts] = Check(
    id="health-check",
    title="The health check requests the right page and allows enough time",
    gather=gather,
    judge=judge,
    guide_section="Health Check Failures",
)
POINTS = (
    Item(
        id="grace-period",
        title="The load balancer gives a new task time for its migrations",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_grace, "600 s or more"),
        lines=("Health check grace period is 600+ seconds",),
        about="The grace period: migrations of an empty database take 10 minutes, and a task that is killed in them "
        "starts over.",
    ),
    Item(
        id="health-check",
        title="The health check requests the right page and allows enough time",
        occasion=Checklist.DEPLOY,
        judge=each_tenant(planned_check, "it requests /api/health from nginx and allows enough time"),
        about="The target group's health check: a meaningful path, and tolerance for a busy task.",
    ),
)
