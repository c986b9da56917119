"""The tenant's record is not in its zone."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from orchestrator.local.meddling import Console, Undo, meddled


def _delete(console: Console) -> Iterator[Undo]:
    route53 = console.client("route53")
    wanted = {f"{said['WEB_DOMAIN'].removeprefix('https://')}." for said in console.variables()}
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Name"] in wanted and record["Type"] == "CNAME":
                _change(route53, zone["Id"], "DELETE", record)
                yield partial(_change, route53, zone["Id"], "UPSERT", record)


def _change(route53: Any, zone: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


FAULT = meddled(
    "dns-record-missing", "the hostname has no record", "Terraform Destroy/Apply Cycle", _delete, restarts=False
)
