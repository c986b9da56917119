from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from orchestrator.database.direct import Endpoint
from orchestrator.database.server import Server
from orchestrator.local import world
from orchestrator.local.endpoint import client
from orchestrator.stack.contract import Stack
from tests.conformance.place import Place
from tests.local.local_cloud import LocalCloud, aws_of
from tests.waiting import until


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("databases")
    running = client.up("databases", folder, speed=300)
    try:
        cloud = LocalCloud(folder, running, client.ask(running, "env"))
        aws = aws_of(cloud)
        stack = Stack.model_validate(world.build(aws.session, endpoint=running.endpoint))
        rds, ssm = aws.client("rds"), aws.client("ssm")
        rds.get_waiter("db_instance_available").wait(WaiterConfig={"Delay": 1})
        until("the agent is online", lambda: ssm.describe_instance_information()["InstanceInformationList"])
        ip, _, port = client.ask(running, "env")["ORCHESTRATE_DATABASE_ADDRESS"].rpartition(":")
        yield Place(stack, aws, Endpoint(ip, int(port)), folder / "ca.pem")
    finally:
        client.down(folder)


@pytest.fixture(params=["direct", "ssm"])
def way(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def server(place: Place, way: str) -> Server:
    make: Callable[[], Server] = getattr(place, way)
    return make()
