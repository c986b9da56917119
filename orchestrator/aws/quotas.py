"""Service Quotas: how much of something this account may have."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class Quotas:
    """Through a boto3 `service-quotas` client."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def value(self, service: str, code: str) -> int | None:
        """The account's quota; None: it is not told (no permission, no such quota here), and AWS's default holds."""
        try:
            answer = self._client.get_service_quota(ServiceCode=service, QuotaCode=code)
        except (ClientError, BotoCoreError):
            return None
        return int(answer["Quota"]["Value"])
