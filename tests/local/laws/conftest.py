"""Clients as anybody has them, without an observer's mark: the laws are for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config

from orchestrator.local.core.caller import OBSERVER
from tests.local.local_cloud import LocalCloud

Anybody = Callable[..., Any]


@pytest.fixture(scope="module")
def anybody(cloud: LocalCloud) -> Anybody:
    """`anybody(service)` is a client; `validates=False` sends what boto3 itself would not let out."""
    session = boto3.Session(
        aws_access_key_id=cloud.env["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=cloud.env["AWS_SECRET_ACCESS_KEY"],
        region_name=cloud.env["AWS_REGION"],
    )

    def client(service: str, *, validates: bool = True, agent: str = "") -> Any:
        config = Config(parameter_validation=validates, user_agent_extra=agent, retries={"total_max_attempts": 1})
        make: Any = session.client
        made = make(service, endpoint_url=cloud.running.endpoint, config=config)
        assert OBSERVER not in made.meta.config.user_agent or agent
        return made

    return client
