"""For faults: the rules of the HTTPS listeners that send visitors to the tenant of a fault, and other ends for them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.errors import Problem, Refused
from orchestrator.local.faults.manual_changes import Console, Undo


def groups_of(console: Console) -> set[str]:
    """The target groups of the tenant's services."""
    return {way["targetGroupArn"] for one in console.services() for way in one["loadBalancers"]}


def another(console: Console) -> dict[str, Any]:
    """The service of a tenant that the fault does not speak of."""
    mine = {one["serviceArn"] for one in console.services()} if console.tenant else set()
    for one in Console(console.cloud, "").services():
        if one["serviceArn"] not in mine and one["loadBalancers"]:
            return one
    raise Refused(Problem("fault-failed", "there is no other tenant", "fault"))


def own_rules(console: Console) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each rule that forwards to the tenant's services, with its listener."""
    elb, wanted = console.client("elbv2"), groups_of(console)
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
                if not rule["IsDefault"] and wanted & set(_forwarded(rule["Actions"])):
                    yield listener["ListenerArn"], rule


def _forwarded(actions: list[dict[str, Any]]) -> Iterator[str]:
    for one in actions:
        if one.get("TargetGroupArn"):
            yield one["TargetGroupArn"]
        yield from (group["TargetGroupArn"] for group in one.get("ForwardConfig", {}).get("TargetGroups", ()))


def lead(console: Console, *actions: dict[str, Any], first: bool = False) -> Iterator[Undo]:
    """The tenant's rules do this instead; with `first`, before what they did."""
    elb = console.client("elbv2")
    for _, rule in list(own_rules(console)):
        back = rule["Actions"]
        new = [*actions, *(back if first else ())]
        numbered = [{**one, "Order": place} for place, one in enumerate(new, start=1)]
        elb.modify_rule(RuleArn=rule["RuleArn"], Actions=numbered)
        yield partial(elb.modify_rule, RuleArn=rule["RuleArn"], Actions=back)
