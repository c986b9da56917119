"""The tenant's record leads to a load balancer that is gone, as after destroy and apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from orchestrator.local.meddling import Console, Undo, meddled

OLD = "onyx-prod-alb-1692407724.us-west-2.elb.amazonaws.com."


def _lead_astray(console: Console) -> Iterator[Undo]:
    route53 = console.client("route53")
    wanted = {f"{said['WEB_DOMAIN'].removeprefix('https://')}." for said in console.variables()}
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Name"] in wanted and record["Type"] == "CNAME":
                _upsert(route53, zone["Id"], {**record, "ResourceRecords": [{"Value": OLD}]})
                yield lambda zone=zone, record=record: _upsert(route53, zone["Id"], record)  # type: ignore[misc]


def _upsert(route53: Any, zone: str, record: dict[str, Any]) -> None:
    change = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)


FAULT = meddled(
    "dns-old-record",
    "the hostname leads to an old load balancer",
    "Terraform Destroy/Apply Cycle",
    _lead_astray,
    restarts=False,
)
