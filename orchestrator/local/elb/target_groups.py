"""The target groups of moto with living targets: checks run on time, draining targets drain.

Only IP targets live here (the tasks); an instance or a Lambda function as a target stays as moto has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from moto.elbv2.models import FakeTargetGroup, elbv2_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.core.pace import Pace
from orchestrator.local.elb.health import DRAINING, NEW, Health, HealthCheckRules, judge

Probe = Callable[[FakeTargetGroup, str, int, str], int | None]
"""Target group, IP, port and path of a health check → HTTP status, or None: nothing answered."""


@dataclass(slots=True)
class TargetRecord:
    """One target of one group. Times are `Pace.monotonic()`."""

    ip: str
    port: int
    health: Health = NEW
    next_check: float = 0.0
    gone_at: float = 0.0
    """When draining ends; 0: it is registered."""


_LOCK = threading.RLock()


@dataclass(frozen=True, slots=True)
class TargetGroups:
    """What happens to targets in time. The records themselves live on moto's groups. Thread-safe."""

    pace: Pace

    def registered(self, group: FakeTargetGroup, ip: str, port: int) -> None:
        """The target is new (or back): its first check is one interval away."""
        due = Pace.monotonic() + self.pace.scaled(rules_of(group).interval)
        with _LOCK:
            known = _known(group)
            if ip not in known or known[ip].gone_at:
                known[ip] = TargetRecord(ip, port, next_check=due)

    def deregistered(self, group: FakeTargetGroup, ip: str) -> None:
        """The target drains from now on."""
        ends = Pace.monotonic() + self.pace.scaled(draining_seconds(group))
        with _LOCK:
            record = _known(group).get(ip)
            if record is not None and not record.gone_at:
                record.health, record.gone_at = DRAINING, ends

    def check(self, probe: Probe) -> None:
        """Make the checks that are due, and forget targets that have drained."""
        now = Pace.monotonic()
        for group in all_groups():
            rules = rules_of(group)
            for record in records(group):
                if record.gone_at and now >= record.gone_at:
                    _forget(group, record)
                elif not record.gone_at and now >= record.next_check:
                    record.next_check = now + self.pace.scaled(rules.interval)
                    status = probe(group, record.ip, rules.port or record.port, rules.path)
                    _conclude(record, judge(record.health, status, rules))


def _known(group: FakeTargetGroup) -> dict[str, TargetRecord]:
    known: dict[str, TargetRecord] = group.__dict__.setdefault("living_records", {})
    return known


def records(group: FakeTargetGroup) -> list[TargetRecord]:
    """The group's targets, the draining ones included."""
    with _LOCK:
        return list(_known(group).values())


def find_record(group: FakeTargetGroup | None, ip: str) -> TargetRecord | None:
    """The target, or None: it is neither registered nor draining."""
    with _LOCK:
        return _known(group).get(ip) if group is not None else None


def _conclude(record: TargetRecord, judged: Health) -> None:
    with _LOCK:
        if not record.gone_at:
            record.health = judged


def _forget(group: FakeTargetGroup, record: TargetRecord) -> None:
    with _LOCK:
        if _known(group).get(record.ip) is record:
            del _known(group)[record.ip]


def all_groups() -> Iterator[FakeTargetGroup]:
    """Every target group of the account."""
    for backend in list(elbv2_backends[ACCOUNT].values()):
        yield from list(backend.target_groups.values())


def find_group(arn: str) -> FakeTargetGroup | None:
    """The target group, or None: it does not exist (any more)."""
    return next((group for group in all_groups() if group.arn == arn), None)


def register(arn: str, ip: str, port: int) -> bool:
    """Register the target as ECS does. False: the group does not exist."""
    group = find_group(arn)
    if group is not None:
        group.register([{"Id": ip, "Port": port}])
    return group is not None


def deregister(arn: str, ip: str) -> float:
    """Deregister the target; how many of AWS's seconds it drains (0: it was not there)."""
    group = find_group(arn)
    if group is None or ip not in group.targets:
        return 0.0
    group.deregister([{"Id": ip}])
    return draining_seconds(group)


def draining_seconds(group: FakeTargetGroup) -> float:
    """The group's deregistration delay."""
    return float(str(group.attributes.get("deregistration_delay.timeout_seconds", 300)))


def rules_of(group: FakeTargetGroup) -> HealthCheckRules:
    """The group's health check."""
    matcher: dict[str, Any] = getattr(group, "matcher", None) or {}
    return HealthCheckRules(
        path=group.health_check_path or "/",
        interval=float(group.health_check_interval_seconds),
        healthy=int(group.healthy_threshold_count),
        unhealthy=int(group.unhealthy_threshold_count),
        matcher=str(matcher.get("HttpCode") or "200"),
        port=int(asked) if (asked := str(group.health_check_port)).isdecimal() else 0,
    )
