"""What is seen disproves what is inferred: a finding that contradicts an observation is dropped, or says so. Pure.

Rules, routes and settings are read and judged for what they should bring about; a deployment that is up, a login that
works and a site that answers show what they do bring about. What could have changed since is not dropped: it says
what was seen, and since when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from orchestrator.engine.check import Finding, Severity
from orchestrator.engine.step import STACK, Subject, tenant_of
from orchestrator.index import PROVIDERS

TODAY = timedelta(hours=24)
"""How long what a deployment has shown of the ways out is held against a reading of routes and rules."""
_WAYS_OUT = frozenset({"subnet-without-way-out", "task-without-public-address"})
_WAYS_IN = frozenset(
    {
        "database-port-closed",
        "database-other-vpc",
        "redis-port-closed",
        *(f"{one.name}-{what}" for one in PROVIDERS for what in ("port-closed", "other-vpc")),
        "task-egress-closed",
    }
)
"""What the tasks must have got through to come up."""
_CHECKED_NOW = frozenset({"task-port-closed", "health-check-port-wrong", "target-group-unused", "targets-unhealthy"})
"""What the load balancer's health check itself disproves while every target is healthy."""
_PASSED = frozenset(
    {
        "task-database-login-denied",
        "task-database-missing",
        "task-database-connect-revoked",
        "task-database-role-without-login",
        "task-database-closed",
        "task-database-login-iam",
        "task-database-permission-denied",
        "task-database-host-refused",
    }
)
"""Words of tasks that ended, about a login which may work by now."""
_SHOWN = frozenset(
    {"certificate-other-names", "certificate-not-used", "https-listener-missing", "load-balancer-missing"}
    | {"dns-unanswered"}
)
"""What a visit over HTTPS with the expected answer disproves."""


@dataclass(frozen=True, slots=True)
class Observations:
    """By tenant: since when its deployment is up (those whose targets are healthy); who signs in; whose site answers.

    `tenants` are all there are: what is said of the stack is disproved only by every one of them.
    """

    now: datetime
    up_since: Mapping[Subject, datetime] = field(default_factory=dict)
    signs_in: frozenset[Subject] = frozenset()
    answers: frozenset[Subject] = frozenset()
    tenants: frozenset[Subject] = frozenset()


def reconciled(findings: Iterable[Finding], seen: Observations) -> Iterator[Finding]:
    """The findings that stand, those that something speaks against with what was seen."""
    for one in findings:
        kept = _judged(one, seen)
        if kept is not None:
            yield kept


def _judged(one: Finding, seen: Observations) -> Finding | None:
    whom = seen.tenants if one.subject == STACK else frozenset({tenant_of(one.subject)})
    up = bool(whom) and whom <= seen.up_since.keys()
    since = min((seen.up_since[tenant] for tenant in whom), default=seen.now) if up else seen.now
    if up and one.code in _CHECKED_NOW:
        return None
    if up and one.code in _WAYS_OUT | _WAYS_IN and seen.now - since < TODAY:
        return _doubted(one, since)
    if one.code in _PASSED and whom and whom <= seen.signs_in:
        return _over(one)
    if one.code in _SHOWN and whom and whom <= seen.answers:
        return _answered(one)
    return one


def _doubted(one: Finding, since: datetime) -> Finding:
    came = f"the deployment of {since:%Y-%m-%d %H:%M} UTC pulled its images, reached what it needs and is up"
    return replace(
        one,
        severity=Severity.WARNING,
        symptom=f"the next task may fail: {one.symptom}",
        cause=f"{one.cause}; but {came}: there is another way (endpoints, peering), or this changed since",
        evidence=(*one.evidence, came),
        explains=frozenset(),
    )


def _over(one: Finding) -> Finding:
    return replace(
        one,
        cause=f"{one.cause}; that is resolved: the tenant's login was tried just now, and works",
        fix=f"orchestrate run --tenant {tenant_of(one.subject)} (restarts its tasks if ECS does not)",
        evidence=(*one.evidence, "login tried now: ok"),
    )


def _answered(one: Finding) -> Finding:
    came = "the site was visited over HTTPS, and gave the expected answer"
    return replace(
        one,
        severity=Severity.WARNING,
        cause=f"{one.cause}; but {came}",
        evidence=(*one.evidence, came),
        explains=frozenset(),
    )
