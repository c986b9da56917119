"""The tenant's rule was deleted from the HTTPS listener."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    elb = console.client("elbv2")
    wanted = {way["targetGroupArn"] for one in console.services() for way in one["loadBalancers"]}
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                if not rule["IsDefault"] and rule["Actions"][0].get("TargetGroupArn") in wanted:
                    elb.delete_rule(RuleArn=rule["RuleArn"])
                    given = {
                        "ListenerArn": listener["ListenerArn"],
                        "Priority": int(rule["Priority"]),
                        "Conditions": [
                            {"Field": "host-header", "HostHeaderConfig": {"Values": _hosts(one)}}
                            for one in rule["Conditions"]
                        ],
                        "Actions": [{"Type": "forward", "TargetGroupArn": rule["Actions"][0]["TargetGroupArn"]}],
                    }
                    yield lambda given=given: elb.create_rule(**given)  # type: ignore[misc]


def _hosts(condition: dict[str, object]) -> object:
    config = condition.get("HostHeaderConfig")
    return config["Values"] if isinstance(config, dict) else condition["Values"]


FAULT = meddled("listener-rule-missing", "no rule sends the hostname to its tenant", "", _delete, restarts=False)
