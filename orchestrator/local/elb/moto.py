"""Load balancers: a name of their own, a time of provisioning, and certificates beside the default one.

moto: the DNS name of `onyx-prod-alb` is always `onyx-prod-alb-1.<region>…`, and it is active at its
first read. AWS: each load balancer gets a new number, and is `provisioning` for some minutes.

moto: a listener shows all its certificates, and ModifyListener takes the additional ones away. AWS: DescribeListeners
shows the default certificate alone (DescribeListenerCertificates has them all), ModifyListener changes that one only,
and a certificate that is added twice is there once. How many there may be is the law `quotas`'s to say.

moto: a target group that only ModifyRule leads to has no load balancer, so its health checks come from nowhere. AWS:
it has the rule's. Left out: that it has none any more once no rule leads there.
"""

from __future__ import annotations

import secrets
from typing import Any

from moto.elbv2.models import ELBv2Backend, FakeListener, FakeLoadBalancer, FakeRule
from moto.elbv2.responses import ELBV2Response

from orchestrator.local.core.cloud import REGION, Cloud
from orchestrator.local.core.corrections import replace

PROVISION_SECONDS = 120.0
HOSTED_ZONE = {"us-gov-west-1": "Z33AYJ8TM3BH4J"}.get(REGION, "Z1H1FL5HABSF5")
"""Of application load balancers (AWS's table of Elastic Load Balancing endpoints); of other regions us-west-2's."""


def install(cloud: Cloud) -> None:
    """A new name for each load balancer; `active` comes with time, not with reading; certificates by SNI."""
    create = ELBv2Backend.create_load_balancer

    def create_load_balancer(self: ELBv2Backend, name: str, *rest: Any, **options: Any) -> FakeLoadBalancer:
        balancer = create(self, name, *rest, **options)
        number = 10**9 + secrets.randbelow(10**9)
        internal = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{internal}{name}-{number}.{self.region_name}.elb.amazonaws.com"
        balancer.canonical_hosted_zone_id = HOSTED_ZONE

        def become_active() -> None:
            balancer.state = "active"

        cloud.after(PROVISION_SECONDS, become_active)
        return balancer

    def activate(_self: FakeLoadBalancer) -> None:
        """Reading changes nothing."""

    replace(ELBv2Backend, create_load_balancer=create_load_balancer)
    _certificates()
    _changed_rules()
    replace(FakeLoadBalancer, activate=activate)


def _changed_rules() -> None:
    modify = ELBv2Backend.modify_rule

    def modify_rule(self: ELBv2Backend, rule_arn: str, *rest: Any, **given: Any) -> FakeRule:
        changed = modify(self, rule_arn, *rest, **given)
        (balancer,) = (
            one.load_balancer_arn
            for each in self.load_balancers.values()
            for one in each.listeners.values()
            if any(rule.arn == rule_arn for rule in one.rules.values())
        )
        forwards = (action.data for action in changed.actions if action.type == "forward")
        for arn in (arn for data in forwards for arn in self._get_target_group_arns_from(action_data=data)):
            known = self.target_groups[arn].load_balancer_arns
            known.extend([balancer] if balancer not in known else ())
        return changed

    replace(ELBv2Backend, modify_rule=modify_rule)


def _certificates() -> None:
    modify = ELBv2Backend.modify_listener

    def modify_listener(self: ELBv2Backend, arn: str, *rest: Any, **given: Any) -> FakeListener:
        (held,) = self.describe_listeners(None, [arn])
        before = list(held.certificates)
        changed = modify(self, arn, *rest, **given)
        changed.certificates = list(dict.fromkeys([*changed.certificates[:1], *before[1:]]))
        return changed

    def add_listener_certificates(self: ELBv2Backend, arn: str, certificates: list[dict[str, Any]]) -> list[str]:
        held: list[str] = self.describe_listeners(None, [arn])[0].certificates
        held.extend(dict.fromkeys(one["CertificateArn"] for one in certificates if one["CertificateArn"] not in held))
        return held

    def default_only(arns: list[str]) -> list[dict[str, str]] | None:
        return [{"CertificateArn": arn} for arn in arns[:1]] or None

    replace(ELBv2Backend, modify_listener=modify_listener, add_listener_certificates=add_listener_certificates)
    forms = ELBV2Response.RESPONSE_KEY_PATH_TO_TRANSFORMER
    shown = {name: default_only for name in forms if name.endswith("Listeners.Listener.Certificates")}
    replace(ELBV2Response, RESPONSE_KEY_PATH_TO_TRANSFORMER={**forms, **shown})
