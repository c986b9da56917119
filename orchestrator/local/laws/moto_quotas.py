"""Service Quotas: moto knows the VPC's alone, and can't list. Here every quota is told that this cloud has.

Left out: requests for more (nothing is ever raised), and the quotas of a single resource.
"""

from __future__ import annotations

from typing import Any

from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.core.corrections import replace
from orchestrator.local.laws.quota_rows import ROWS


def install(_cloud: Cloud) -> None:
    """ListServiceQuotas, ListAWSDefaultServiceQuotas, GetServiceQuota."""
    replace(ServiceQuotasBackend, list_aws_default_service_quotas=_of_service, get_service_quota=_one)
    replace(ServiceQuotasResponse, list_service_quotas=ServiceQuotasResponse.list_aws_default_service_quotas)


def _of_service(self: ServiceQuotasBackend, service_code: str) -> list[dict[str, Any]]:
    found = [_told(self, row) for row in ROWS if row.code and row.listed == service_code]
    if not found:
        raise NoSuchResource
    return found


def _one(self: ServiceQuotasBackend, service_code: str, quota_code: str) -> dict[str, Any]:
    for one in _of_service(self, service_code):
        if one["QuotaCode"] == quota_code:
            return one
    raise NoSuchResource


def _told(backend: ServiceQuotasBackend, row: Any) -> dict[str, Any]:
    where = f"arn:{backend.partition}:servicequotas:{backend.region_name}:{backend.account_id}"
    return {
        "ServiceCode": row.listed,
        "QuotaArn": f"{where}:{row.listed}/{row.code}",
        "QuotaCode": row.code,
        "QuotaName": row.name,
        "Value": float(row.most),
        "Unit": "None",
        "Adjustable": row.adjustable,
        "GlobalQuota": False,
        "QuotaAppliedAtLevel": "ACCOUNT",
    }
