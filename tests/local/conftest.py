from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.local.endpoint import client
from tests.local.local_cloud import Aws, LocalCloud, aws_of


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """One for all tests of a file; 300 times as fast as AWS."""
    folder = tmp_path_factory.mktemp("cloud")
    running = client.up("test", folder, speed=300)
    try:
        yield LocalCloud(folder, running, client.ask(running, "env"))
    finally:
        client.down(folder)


@pytest.fixture(scope="module")
def aws(cloud: LocalCloud) -> Aws:
    return aws_of(cloud)
