"""moto's targets are healthy at once and vanish when deregistered: they are checked here, and drain.

moto refuses to deregister one that isn't there; AWS: "If the specified target does not exist, the action returns
successfully" (DeregisterTargets).

Hooks `FakeTargetGroup.register`/`deregister`/`health_for` and `ELBv2Backend.describe_target_health` (which forgets the
draining ones when it lists a whole group).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.elb.target_groups import TargetGroups, TargetRecord, find_record, records

_register = FakeTargetGroup.register
_deregister = FakeTargetGroup.deregister
_health_for = FakeTargetGroup.health_for
_describe = ELBv2Backend.describe_target_health


def install(cloud: Cloud) -> None:
    """From now on targets live."""
    groups = TargetGroups(cloud.pace)

    def register(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        _register(self, targets)
        for target in targets:
            if self.target_type == "ip":
                groups.registered(self, target["Id"], int(target.get("Port") or self.port))

    def deregister(self: FakeTargetGroup, targets: list[dict[str, Any]]) -> None:
        for target in targets:
            groups.deregistered(self, target["Id"])
        _deregister(self, [target for target in targets if target["Id"] in self.targets])

    def health_for(self: FakeTargetGroup, target: dict[str, Any], ec2_backend: EC2Backend) -> FakeHealthStatus:
        record = find_record(self, target["Id"])
        return _shown(self, record) if record else _health_for(self, target, ec2_backend)

    def describe(self: ELBv2Backend, target_group_arn: str, targets: list[dict[str, Any]]) -> list[FakeHealthStatus]:
        asked = list(targets or [])
        group = self.target_groups.get(target_group_arn)
        if group is not None and not asked:
            draining = [{"Id": r.ip} for r in records(group) if r.ip not in group.targets]
            asked = [*group.targets.values(), *draining]
            if not asked:
                return []
        found: list[FakeHealthStatus] = _describe(self, target_group_arn, asked)
        return found

    replace(FakeTargetGroup, register=register, deregister=deregister, health_for=health_for)
    replace(ELBv2Backend, describe_target_health=describe)


def _shown(group: FakeTargetGroup, record: TargetRecord) -> FakeHealthStatus:
    health = record.health
    return FakeHealthStatus(
        record.ip, str(record.port), group.health_check_port, health.state, health.reason, health.description
    )
