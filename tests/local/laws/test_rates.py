"""Rates: a bucket that is empty refuses with the service's own error, and fills again by its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orchestrator.local import client
from orchestrator.local.caller import OBSERVER
from tests.local.local_cloud import LocalCloud
from tests.waiting import until

pytestmark = pytest.mark.cloud

Anybody = Callable[..., Any]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One whose buckets fill in real seconds."""
    folder: Path = tmp_path_factory.mktemp("rates")
    running = client.up("rates", folder, speed=300, rates="real")
    try:
        yield LocalCloud(folder, running, client.ask(running, "env"))
    finally:
        client.down(folder)


CASES: list[tuple[str, str, dict[str, Any], int, str]] = [
    ("elbv2", "describe_load_balancers", {}, 40, "Throttling"),
    ("ecs", "list_clusters", {}, 50, "ThrottlingException"),
    ("ec2", "describe_vpcs", {}, 100, "RequestLimitExceeded"),
    ("route53", "list_hosted_zones", {}, 10, "Throttling"),
]


@pytest.mark.parametrize(("service", "operation", "parameters", "size", "code"), CASES, ids=[one[0] for one in CASES])
def test_it_refuses_who_asks_too_fast_and_answers_again(
    anybody: Anybody, cloud: LocalCloud, service: str, operation: str, parameters: dict[str, Any], size: int, code: str
) -> None:
    ask = getattr(anybody(service), operation)
    before = cloud.ask("status")["too_fast"]

    def refused() -> str:
        try:
            ask(**parameters)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return ""

    answers = [refused() for _ in range(20 * size)]
    assert not any(answers[:size]), "so many at once are answered"
    assert set(answers) == {"", code}
    assert cloud.ask("status")["too_fast"] == before + sum(map(bool, answers))
    getattr(anybody(service, agent=OBSERVER), operation)(**parameters)
    until("it is answered again", lambda: not refused())
