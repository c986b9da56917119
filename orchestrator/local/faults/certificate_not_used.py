"""The HTTPS listener shows a certificate for other names."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from orchestrator.local.faults.manual_changes import Console, Undo, meddled


def _exchange(console: Console) -> Iterator[Undo]:
    acm, elb = console.client("acm"), console.client("elbv2")
    other = acm.request_certificate(DomainName="old.example.com", ValidationMethod="DNS")["CertificateArn"]
    yield partial(acm.delete_certificate, CertificateArn=other)
    for balancer in elb.describe_load_balancers()["LoadBalancers"]:
        for listener in elb.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]:
            if listener["Protocol"] == "HTTPS":
                kept = {"ListenerArn": listener["ListenerArn"], "DefaultActions": listener["DefaultActions"]}
                before = [{"CertificateArn": one["CertificateArn"]} for one in listener["Certificates"]]
                elb.modify_listener(**kept, Certificates=[{"CertificateArn": other}])
                yield partial(elb.modify_listener, **kept, Certificates=before)


FAULT = meddled(
    "certificate-not-used", "the listener uses another certificate", "", _exchange, per_tenant=False, restarts=False
)
