"""The tools an instance has: psql reaches the real server, aws the cloud, docker and curl the Vespa container."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from orchestrator.local.faults import catalogue
from orchestrator.local.rds import postgres
from orchestrator.local.ssm import instance
from orchestrator.local.ssm.tools import psql

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Address
    from tests.local.ssm.conftest import World

HOST = "onyx-prod-postgres.cabc123def45.us-west-2.rds.amazonaws.com"
HOSTS = {HOST: ("127.0.0.1", 54321)}
LED = {"PGHOSTADDR": "127.0.0.1", "PGPORT": "54321"}


@pytest.mark.parametrize(
    ("given", "environment", "arguments"),
    [
        (["-h", HOST, "-U", "u", "-d", "db"], {}, ["-h", HOST, "-U", "u", "-d", "db", "--"]),
        (["-p", "5432", f"-h{HOST}", "-c", "SELECT 1"], {}, ["-h", HOST, "-c", "SELECT 1", "--"]),
        ([f"--host={HOST}", "--port=5432", "db"], {}, [f"--host={HOST}", "--", "db"]),
        (["--host", HOST.upper(), "--port", "5432"], {}, [f"--host={HOST.upper()}", "--"]),
        (["-Atqh", HOST, "-F", ""], {}, ["-A", "-t", "-q", "-h", HOST, "-F", "", "--"]),
        (["db", "user", "-X"], {"PGHOST": HOST, "PGPORT": "5432"}, ["-X", "--", "db", "user"]),
        (
            [f"host={HOST} port=5432 dbname=db"],
            {},
            ["--", f"host={HOST} port=5432 dbname=db hostaddr=127.0.0.1 port=54321"],
        ),
        (
            ["-d", f"postgresql://u@{HOST}:5432/db"],
            {},
            ["-d", f"postgresql://u@{HOST}:5432/db?hostaddr=127.0.0.1&port=54321", "--"],
        ),
        (
            [f"postgres://u@{HOST}/db?sslmode=require"],
            {},
            ["--", f"postgres://u@{HOST}/db?sslmode=require&hostaddr=127.0.0.1&port=54321"],
        ),
    ],
)
def test_psql_is_led_to_the_address(given: list[str], environment: dict[str, str], arguments: list[str]) -> None:
    assert psql.led(given, environment, HOSTS) == psql.PsqlCall(arguments, LED)


@pytest.mark.parametrize("given", [["-h", "localhost", "-p", "5432"], ["--version"], ["-d", "host=/tmp dbname=db"]])
def test_psql_leaves_other_hosts_alone(given: list[str]) -> None:
    assert psql.led(given, {}, HOSTS) == psql.PsqlCall(given, {})


def test_psql_does_not_know_an_aws_name_that_the_cloud_has_not() -> None:
    with pytest.raises(psql.UnknownHost):
        psql.led(["-h", "gone.us-west-2.rds.amazonaws.com"], {}, HOSTS)


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Address]:
    """A real server behind the RDS name."""
    servers = postgres.PostgresServers(world.cloud)
    address = servers.create("onyx-prod-postgres", HOST, master="onyx_root", password="right", database=None)
    world.cloud.addresses.publish(HOST, address)
    yield address
    world.cloud.addresses.withdraw(HOST)
    servers.close()


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    "call",
    [
        f"psql -h {HOST} -p 5432 -U onyx_root -d postgres -Atc",
        f"PGHOST={HOST} PGUSER=onyx_root psql -At postgres -c",
        f"psql -At 'host={HOST} port=5432 user=onyx_root dbname=postgres sslmode=verify-full' -c",
        f"psql -At 'postgresql://onyx_root@{HOST}:5432/postgres?sslmode=verify-full' -c",
    ],
)
def test_psql_reaches_the_real_server(world: World, runner: str, call: str) -> None:
    done = world.ran(runner, f'export PGPASSWORD=right\n{call} "SELECT current_user, 6 * 7"')
    assert (done["StandardOutputContent"], done["StandardErrorContent"]) == ("onyx_root|42\n", "")


def test_psql_verifies_the_name(world: World, runner: str, server: Address) -> None:
    """The certificate is the RDS name's: under another name for the same server verify-full fails."""
    world.cloud.addresses.publish("other.us-west-2.rds.amazonaws.com", server)
    call = "PGPASSWORD=right PGSSLMODE=verify-full psql -U onyx_root -d postgres -Atc 'SELECT ssl FROM pg_stat_ssl"
    call += " WHERE pid = pg_backend_pid()' -h"
    right = world.ran(runner, f"{call} {HOST}")
    other = world.ran(runner, f"{call} other.us-west-2.rds.amazonaws.com")
    assert right["StandardOutputContent"] == "t\n"
    assert other["ResponseCode"] == 2
    assert "does not match host name" in other["StandardErrorContent"]


@pytest.mark.usefixtures("server")
def test_one_session_creates_and_connects_to_a_database(world: World, runner: str) -> None:
    script = (
        f"export PGPASSWORD=right\npsql -v ON_ERROR_STOP=1 -qAtX -h {HOST} -U onyx_root -d postgres <<'SQL'\n"
        'CREATE DATABASE "onyx_customer_a";\n\\connect onyx_customer_a\nSELECT current_database();\nSQL\n'
    )
    assert world.ran(runner, script)["StandardOutputContent"] == "onyx_customer_a\n"


@pytest.mark.usefixtures("server")
def test_a_wrong_password_is_the_server_s_answer(world: World, runner: str) -> None:
    done = world.ran(runner, f"PGPASSWORD=wrong psql -h {HOST} -U onyx_root -d postgres -c 'SELECT 1'")
    assert done["ResponseCode"] == 2
    assert "password authentication failed" in done["StandardErrorContent"]


@pytest.mark.usefixtures("server")
def test_psql_never_prompts(world: World, runner: str) -> None:
    done = world.ran(runner, f"psql -h {HOST} -U onyx_root -d postgres -c 'SELECT 1'")
    assert done["ResponseCode"] == 2
    assert "no password supplied" in done["StandardErrorContent"]


def test_an_address_that_does_not_exist(world: World, runner: str) -> None:
    done = world.ran(runner, "psql -h gone.us-west-2.rds.amazonaws.com -U onyx_root -d postgres -c 'SELECT 1'")
    assert done["ResponseCode"] == 2
    assert "could not translate host name" in done["StandardErrorContent"]


@pytest.mark.usefixtures("server")
def test_a_secret_by_aws_cli_straight_into_psql(world: World, runner: str) -> None:
    """The password is never in the command: the instance fetches it."""
    arn = world.client("secretsmanager").create_secret(Name="admin", SecretString='{"password": "right"}')["ARN"]
    script = (
        f"set -euo pipefail\nsecret=$(aws secretsmanager get-secret-value --secret-id {arn} "
        "--query SecretString --output text)\n"
        'PGPASSWORD=$(python3 -c \'import json, sys; print(json.load(sys.stdin)["password"])\' <<<"$secret")\n'
        f"export PGPASSWORD\npsql -h {HOST} -U onyx_root -d postgres -Atc 'SELECT 1'\n"
    )
    assert world.ran(runner, script)["StandardOutputContent"] == "1\n"


def test_python3_has_nothing_of_ours(world: World, runner: str) -> None:
    """A script that imports the project would pass here and fail on AWS."""
    done = world.ran(runner, "python3 -c 'import json; print(json.dumps(1))'; python3 -c 'import orchestrator'")
    assert done["StandardOutputContent"] == "1\n"
    assert "ModuleNotFoundError" in done["StandardErrorContent"]


def test_the_vespa_container_by_docker_and_curl(world: World, runner: str) -> None:
    def said(script: str) -> str:
        return str(world.ran(runner, script)["StandardOutputContent"])

    health = "curl -sf http://localhost:19071/state/v1/health >/dev/null; echo $?"
    assert said("docker ps --format '{{.Names}}'; docker inspect -f '{{.State.Running}}' vespa") == "vespa\ntrue\n"
    assert said(health) == "0\n"
    assert instance.vespa_runs(world.cloud, runner)

    assert said("docker stop vespa") == "vespa\n"
    assert said("docker ps -q --format '{{.Names}}'; docker ps -a --format '{{.Names}} {{.State}}'") == "vespa exited\n"
    assert said(health) == "7\n"
    assert not instance.vespa_runs(world.cloud, runner)

    assert said(f"docker start vespa; {health}") == "vespa\n0\n"
    assert said("docker rm -f vespa; docker ps -a --format '{{.Names}}'; docker start vespa; echo $?") == "1\n"
    assert (
        said(f"docker run -d --name vespa -p 8080:8080 -p 19071:19071 vespaengine/vespa:8 >/dev/null; {health}")
        == "0\n"
    )


def test_curl_reaches_no_other_host(world: World, runner: str) -> None:
    done = world.ran(runner, "curl -s https://example.com/")
    assert done["ResponseCode"] == 6


def test_the_fault_runner_without_psql(world: World, runner: str) -> None:
    assert "runner-without-psql" in catalogue()
    world.cloud.faults.switch_on("runner-without-psql")
    without = world.ran(runner, "command -v python3 >/dev/null && psql --version")
    world.cloud.faults.switch_off("runner-without-psql")
    assert without["ResponseCode"] == 127
    assert world.ran(runner, "psql --version")["Status"] == "Success"
