"""How many tasks a service is to have."""

from __future__ import annotations

from typing import Any

from orchestrator.aws.session import translated


class Desired:
    """Through a boto3 `ecs` client."""

    def __init__(self, client: Any, cluster: str) -> None:
        self._client = client
        self._cluster = cluster

    def set(self, service: str, count: int) -> None:
        """From now on ECS works towards this many."""
        with translated("ecs:UpdateService"):
            self._client.update_service(cluster=self._cluster, service=service, desiredCount=count)
