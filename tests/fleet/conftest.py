from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
import trustme

from orchestrator.local.core.cloud import Cloud
from orchestrator.local.rds.postgres import PostgresServers
from tests.fleet.database import PASSWORD, DatabaseServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DatabaseServer]:
    around = SimpleNamespace(
        directory=tmp_path_factory.mktemp("database"), ca=trustme.CA(), pace=SimpleNamespace(stopped=False)
    )
    servers = PostgresServers(cast("Cloud", around))
    try:
        address = servers.create("fleet", "localhost", master="fleet", password=PASSWORD, database="fleet")
        yield DatabaseServer(servers, f"postgresql://fleet:{PASSWORD}@{address.ip}:{address.port}")
    finally:
        servers.close()
