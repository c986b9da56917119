"""The certificate was made anew and is not issued: its validation records are in no zone.

Left out: the load balancer shows the old one all the same, where AWS would have refused the new one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from moto.acm.models import acm_backends

from orchestrator.local.cloud import ACCOUNT, REGION
from orchestrator.local.meddling import Console, Undo, meddled


def _unissue(console: Console) -> Iterator[Undo]:
    route53 = console.client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] == "CNAME" and "acm-validations" in record["ResourceRecords"][0]["Value"]:
                _change(route53, zone["Id"], "DELETE", record)
                yield partial(_change, route53, zone["Id"], "UPSERT", record)
    for bundle in list(acm_backends[ACCOUNT][REGION]._certificates.values()):
        if bundle.status == "ISSUED":
            bundle.status = "PENDING_VALIDATION"
            setattr(bundle, "found", None)  # noqa: B010 - an attribute of corrections/acm.py
            yield partial(setattr, bundle, "status", "ISSUED")


def _change(route53: Any, zone: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


FAULT = meddled(
    "certificate-pending",
    "the certificate is not issued",
    "Terraform Destroy/Apply Cycle",
    _unissue,
    per_tenant=False,
    restarts=False,
)
