"""Somebody's maintenance page takes the tenant's hostname before the tenant's own rule."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled

PAGE = {"StatusCode": "503", "ContentType": "text/plain", "MessageBody": "back soon"}


def _shadow(console: Console) -> Iterator[Undo]:
    elb = console.client("elbv2")
    hosts = sorted({said["WEB_DOMAIN"].removeprefix("https://") for said in console.variables()})
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            if listener["Protocol"] == "HTTPS":
                made = elb.create_rule(
                    ListenerArn=listener["ListenerArn"],
                    Priority=min(99, 1 + len(console.tenant) + ord((console.tenant or "a")[-1]) % 50),
                    Conditions=[{"Field": "host-header", "HostHeaderConfig": {"Values": hosts}}],
                    Actions=[{"Type": "fixed-response", "FixedResponseConfig": PAGE}],
                )
                yield partial(elb.delete_rule, RuleArn=made["Rules"][0]["RuleArn"])


FAULT = meddled("listener-rule-shadowed", "another rule takes the hostname first", "", _shadow, restarts=False)
