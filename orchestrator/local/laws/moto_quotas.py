"""Service Quotas: moto knows the VPC's alone, and can't list. Here every quota is told that this cloud has.

Left out: requests for more (the cloud is started with what was granted), and the quotas of a single resource.
"""

from __future__ import annotations

import json
from typing import Any

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.laws.quota_rows import ROWS, Quota


def install(cloud: Cloud) -> None:
    """ListServiceQuotas, GetServiceQuota: what the account may have; ListAWSDefaultServiceQuotas: what any may."""

    def applied(self: ServiceQuotasResponse) -> str:
        asked = json.loads(self.body)
        return json.dumps({"Quotas": _of_service(self.backend, asked["ServiceCode"], cloud.quotas)})

    replace(
        ServiceQuotasBackend,
        list_aws_default_service_quotas=lambda self, service_code: _of_service(self, service_code, 1),
        get_service_quota=lambda self, service_code, quota_code: _one(self, service_code, quota_code, cloud.quotas),
    )
    replace(ServiceQuotasResponse, list_service_quotas=applied)


def _of_service(backend: ServiceQuotasBackend, service_code: str, times: int) -> list[dict[str, Any]]:
    found = [_told(backend, row, times) for row in ROWS if row.code and row.listed == service_code]
    if not found:
        raise NoSuchResource
    return found


def _one(backend: ServiceQuotasBackend, service_code: str, quota_code: str, times: int) -> dict[str, Any]:
    for one in _of_service(backend, service_code, times):
        if one["QuotaCode"] == quota_code:
            return one
    raise NoSuchResource


def _told(backend: ServiceQuotasBackend, row: Quota, times: int) -> dict[str, Any]:
    where = f"arn:{backend.partition}:servicequotas:{backend.region_name}:{backend.account_id}"
    return {
        "ServiceCode": row.listed,
        "QuotaArn": f"{where}:{row.listed}/{row.code}",
        "QuotaCode": row.code,
        "QuotaName": row.name,
        "Value": float(row.applied(times)),
        "Unit": "None",
        "Adjustable": row.adjustable,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
