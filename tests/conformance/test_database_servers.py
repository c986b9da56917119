"""Both ways to the PostgreSQL server (over SSM and directly) do the same, on a real server of the local cloud."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from orchestrator.aws.secrets import Secrets
from orchestrator.aws.ssm import Ssm
from orchestrator.contract import Database, Stack
from orchestrator.database.direct import DirectServer, Endpoint
from orchestrator.database.model import Observed, Server, Wanted, missing, unowned
from orchestrator.database.ssm import SsmServer
from orchestrator.errors import OrchestratorError
from orchestrator.local import client, world
from tests.faults.figures import sized, tell
from tests.local.local_cloud import Aws, LocalCloud, aws_of

pytestmark = pytest.mark.cloud


@dataclass
class Place:
    """A stack as Terraform leaves it, with both ways to its database."""

    stack: Stack
    aws: Aws
    endpoint: Endpoint
    ca_file: Path

    def secret(self, name: str, value: str) -> str:
        arn: str = self.aws.client("secretsmanager").create_secret(Name=name, SecretString=value)["ARN"]
        return arn

    def wanted(self, name: str) -> Wanted:
        arn = self.secret(name, json.dumps({"username": name, "password": f"pw-of-{name}'\\ü"}))
        return Wanted(name, name, name, arn)

    def direct(self, database: Database | None = None) -> Server:
        secrets = Secrets(self.aws.client("secretsmanager"))
        return DirectServer(database or self.stack.database, secrets.value, endpoint=self.endpoint)

    def ssm(self, database: Database | None = None) -> Server:
        shell = Ssm(self.aws.client("ssm"), sleep=time.sleep, monotonic=time.monotonic)
        return SsmServer(shell, self.stack.runner.instance_id, database or self.stack.database, self.stack.region)

    def admin(self) -> psycopg.Connection[Any]:
        database = self.stack.database
        value = self.aws.client("secretsmanager").get_secret_value(SecretId=database.admin_secret_arn)["SecretString"]
        return psycopg.connect(
            host=database.host,
            hostaddr=self.endpoint.ip,
            port=self.endpoint.port,
            user=database.admin_user,
            password=json.loads(value)["password"],
            dbname="postgres",
            sslmode="verify-full",
            sslrootcert=str(self.ca_file),
            autocommit=True,
        )


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
        while not ssm.describe_instance_information()["InstanceInformationList"]:
            time.sleep(0.1)
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


def lacks(one: Wanted, server: Server) -> tuple[str, ...]:
    return missing(one, server.observe([one]))


def test_from_nothing_to_all_there_and_twice_is_nothing(place: Place, server: Server, way: str) -> None:
    both = [place.wanted(f"{way}_first"), place.wanted(f"{way}_second")]
    assert all(len(missing(one, server.observe(both))) == 2 for one in both)
    server.ensure(both)
    seen = server.observe(both)
    assert [missing(one, seen) for one in both] == [(), ()]
    assert {seen.databases[one.database] for one in both} == {one.role for one in both}
    server.ensure(both)
    assert server.observe(both).databases == seen.databases


def test_one_tenant_cannot_connect_to_anothers_database(place: Place, server: Server, way: str) -> None:
    mine, theirs = place.wanted(f"{way}_mine"), place.wanted(f"{way}_theirs")
    server.ensure([mine, theirs])
    crossed = Wanted("crossed", theirs.database, mine.role, mine.secret_arn)
    assert "permission denied" in server.observe([crossed]).logins["crossed"]


def test_another_owner_is_put_right(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_owned")
    with place.admin() as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(one.database)))
    server.ensure([one])
    assert lacks(one, server) == ()


def test_another_password_is_put_right(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_rotated")
    server.ensure([one])
    place.aws.client("secretsmanager").put_secret_value(
        SecretId=one.secret_arn, SecretString=json.dumps({"username": one.role, "password": "another"})
    )
    assert lacks(one, server) == (f"password of role {one.role}",)
    server.ensure([one])
    assert lacks(one, server) == ()


@pytest.mark.parametrize("value", ["hunter2", "[]", '{"username": "x"}'])
def test_a_secret_without_a_password_is_the_tenants_own_trouble(
    place: Place, server: Server, way: str, value: str
) -> None:
    name = f"{way}_malformed_{abs(hash(value))}"
    broken = Wanted("broken", name, name, place.secret(name, value))
    good = place.wanted(f"{name}_good")
    seen = server.observe([broken, good])
    assert set(seen.secrets) == {"broken"}
    assert "hunter2" not in str(seen)


def test_a_database_no_tenant_owns_is_seen(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_left_over")
    server.ensure([one])
    assert one.database in unowned([], server.observe([place.wanted(f"{way}_other")]))
    assert not {"postgres", "rdsadmin", "template1"} & set(unowned([], Observed({"postgres": "x", "rdsadmin": "y"})))


def test_a_wrong_admin_password_is_named_and_not_shown(place: Place, way: str) -> None:
    wrong = place.secret(f"{way}_wrong_admin", json.dumps({"username": "x", "password": "not-the-password"}))
    database = place.stack.database.model_copy(update={"admin_secret_arn": wrong})
    make: Callable[[Database], Server] = getattr(place, way)
    with pytest.raises(OrchestratorError) as caught:
        make(database).observe([])
    assert caught.value.problems[0].code == "admin-password-wrong"
    assert "not-the-password" not in str(caught.value)


def test_many_at_once_make_it_once(place: Place, server: Server, way: str) -> None:
    crowd = 20 if way == "direct" else sized(20, 4)
    one = place.wanted(f"{way}_raced")
    with ThreadPoolExecutor(crowd) as pool:
        list(pool.map(lambda _: server.ensure([one]), range(crowd)))
    assert lacks(one, server) == ()
    tell(f"races: {crowd} creators of one database at once ({way}), no error")


def test_a_password_is_stored_as_its_verifier_only(place: Place, server: Server, way: str) -> None:
    """The server never saw it in clear: what it keeps is SCRAM, and a login with it works."""
    one = place.wanted(f"{way}_scram")
    server.ensure([one])
    assert server.observe([one]).logins[one.tenant] == "ok"
