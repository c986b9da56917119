"""The tenant's rule was deleted from the HTTPS listener."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults import entrances
from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    elb = console.client("elbv2")
    for listener, rule in list(entrances.own_rules(console)):
        elb.delete_rule(RuleArn=rule["RuleArn"])
        hosts = [{"Field": "host-header", "HostHeaderConfig": {"Values": _hosts(one)}} for one in rule["Conditions"]]
        yield partial(
            elb.create_rule,
            ListenerArn=listener,
            Priority=int(rule["Priority"]),
            Conditions=hosts,
            Actions=rule["Actions"],
        )


def _hosts(condition: dict[str, object]) -> object:
    config = condition.get("HostHeaderConfig")
    return config["Values"] if isinstance(config, dict) else condition["Values"]


FAULT = meddled("listener-rule-missing", "no rule sends the hostname to its tenant", "", _delete, restarts=False)
