"""A rolling service becomes one with a native strategy: BLUE_GREEN, LINEAR or CANARY, with a second target group.

Through the API alone, as a person would: the second group beside the first, both in the listener's rule, then
UpdateService. The change is itself the first deployment of the new kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_COPIED = (
    "Protocol",
    "Port",
    "VpcId",
    "TargetType",
    "HealthCheckPath",
    "HealthCheckPort",
    "HealthCheckIntervalSeconds",
    "HealthyThresholdCount",
    "UnhealthyThresholdCount",
    "Matcher",
)


@dataclass(frozen=True, slots=True)
class Native:
    """What was made, and what was there before."""

    cluster: str
    service: str
    group: str
    other_group: str
    rule: str
    balancers: list[dict[str, Any]]
    configuration: dict[str, Any]


def become_native(ecs: Any, elbv2: Any, service: Mapping[str, Any], configuration: Mapping[str, Any]) -> Native:
    """The service (as DescribeServices shows it) gets this deployment configuration, and deploys by it."""
    balancers: list[dict[str, Any]] = service["loadBalancers"]
    group = balancers[0]["targetGroupArn"]
    rule = _rule_of(elbv2, group)
    other = _beside(elbv2, group)
    made = Native(
        cluster=service["clusterArn"],
        service=service["serviceName"],
        group=group,
        other_group=other,
        rule=rule,
        balancers=balancers,
        configuration=service["deploymentConfiguration"],
    )
    _lead(elbv2, rule, {group: 100, other: 0})
    advanced = {"alternateTargetGroupArn": other, "productionListenerRule": rule, "roleArn": _role(made.cluster)}
    ecs.update_service(
        cluster=made.cluster,
        service=made.service,
        deploymentConfiguration={**made.configuration, **configuration},
        loadBalancers=[{**balancers[0], "advancedConfiguration": advanced}],
    )
    return made


def become_rolling(ecs: Any, elbv2: Any, native: Native) -> None:
    """As it was before. The second target group stays: its last tasks drain there."""
    ecs.update_service(
        cluster=native.cluster,
        service=native.service,
        deploymentConfiguration={**native.configuration, "strategy": "ROLLING", "lifecycleHooks": []},
        loadBalancers=native.balancers,
        forceNewDeployment=True,
    )
    _lead(elbv2, native.rule, {native.group: 100})


def _role(cluster_arn: str) -> str:
    """What would let ECS change the listener's rule; nobody checks it here."""
    _, partition, _, _, account, _ = cluster_arn.split(":", 5)
    return f"arn:{partition}:iam::{account}:role/ecsInfrastructureRole"


def _rule_of(elbv2: Any, group: str) -> str:
    """The listener's rule that leads to the group."""
    found = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    for balancer in found["LoadBalancerArns"]:
        for listener in elbv2.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
            for rule in elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                if group in str(rule["Actions"]) and not rule["IsDefault"]:
                    return str(rule["RuleArn"])
    raise LookupError(f"no rule leads to {group}")


def _beside(elbv2: Any, group: str) -> str:
    """A second target group like the first; the one of an earlier time is taken again."""
    like = elbv2.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]
    given = {name: like[name] for name in _COPIED if name in like}
    name = f"{like['TargetGroupName'][:28]}-two"
    known = {one["TargetGroupName"]: one for one in elbv2.describe_target_groups()["TargetGroups"]}
    made = known.get(name) or elbv2.create_target_group(Name=name, **given)["TargetGroups"][0]
    attributes = elbv2.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    elbv2.modify_target_group_attributes(TargetGroupArn=made["TargetGroupArn"], Attributes=attributes)
    return str(made["TargetGroupArn"])


def _lead(elbv2: Any, rule: str, weights: Mapping[str, int]) -> None:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()]
    to: dict[str, Any] = {"ForwardConfig": {"TargetGroups": groups}}
    if len(weights) == 1:
        to = {"TargetGroupArn": next(iter(weights))}
    elbv2.modify_rule(RuleArn=rule, Actions=[{"Type": "forward", "Order": 1, **to}])
