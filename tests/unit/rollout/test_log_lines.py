"""What real programs write when they fail, and what is made of it: `tests/cases/log-lines/*.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.aws.ecs import Container, Task
from orchestrator.rollout.addressees import AddresseeKind, known, named
from orchestrator.rollout.diagnosis import Cause, Failure, classify

CASES = Path(__file__).parents[2] / "cases" / "log-lines"
ENDED = Task(
    "arn:task/1",
    "ecs-svc/1",
    "td:1",
    "STOPPED",
    stop_code="EssentialContainerExited",
    stopped_reason="Essential container in task exited",
    containers=(Container("api", "STOPPED", 1),),
)


def lines() -> list[Any]:
    found = []
    for file in sorted(CASES.glob("*.json")):
        said = json.loads(file.read_text(encoding="utf-8"))
        found += [
            pytest.param(code, line, said["environment"], id=f"{code}-{line[:60]}") for code, line in said["lines"]
        ]
    return found


def judged(environment: dict[str, str], *log: str) -> Cause:
    return classify(Failure(ENDED, log, environment))


@pytest.mark.parametrize(("code", "line", "environment"), lines())
def test_a_line_is_read_by_whom_it_names(code: str, line: str, environment: dict[str, str]) -> None:
    cause = judged(environment, "INFO: booting", line)
    assert cause.code == code, f"{cause.code}: {cause.message} / {cause.fix}"
    assert cause.fix
    assert " ".join(line.split())[:300] == cause.evidence


def test_nothing_is_blamed_for_what_is_not_understood() -> None:
    cause = judged({"POSTGRES_HOST": "db.example.com"}, "Segmentation fault in worker 7")
    assert cause.code == "container-exited"
    assert 'the task says "Segmentation fault in worker 7", which is not a known error' in cause.message


def test_the_first_try_tells_why_the_second_one_was_without_tls() -> None:
    """sslmode=prefer: after a refused password libpq tries again without TLS, which RDS refuses in other words."""
    where = 'connection to server at "db.example.com" (10.0.1.5), port 5432 failed: FATAL:  '
    again = f'{where}no pg_hba.conf entry for host "10.0.2.7", user "a", database "a", no encryption'
    denied = f'{where}password authentication failed for user "a"'
    assert judged({}, denied, again).code == "database-login-denied"
    assert judged({}, f"{denied}\n{again}").code == "database-login-denied"
    assert judged({}, f'{where}PAM authentication failed for user "a"', again).code == "database-login-iam"
    assert judged({}, "INFO: connecting", again).code == "database-wants-tls"


def test_who_is_named_is_said_with_the_variable_that_holds_the_address() -> None:
    environment = {"EMBEDDING_SERVER_URL": "https://user:hunter2@embed.internal:8443/v1"}
    cause = judged(environment, "httpx.ConnectTimeout: timed out connecting to embed.internal:8443")
    assert cause.code == "model-server-unreachable"
    assert "embed.internal:8443 (EMBEDDING_SERVER_URL)" in cause.message
    assert "hunter2" not in f"{cause}"


def test_an_address_that_no_variable_holds_is_said_to_be_so() -> None:
    cause = judged(
        {"POSTGRES_HOST": "db.example.com"}, "dial tcp: lookup old-db.c1.us-west-2.rds.amazonaws.com: no such host"
    )
    assert cause.code == "database-host-unknown"
    assert (
        "no plain variable of the task definition holds that address (POSTGRES_HOST is db.example.com)" in cause.message
    )


@pytest.mark.parametrize(
    ("variable", "value", "kind", "port"),
    [
        ("POSTGRES_HOST", "db.internal", AddresseeKind.DATABASE, 5432),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@10.0.1.5:6432/app", AddresseeKind.DATABASE, 6432),
        ("SPRING_DATASOURCE_URL", "jdbc:postgresql://db.internal/app", AddresseeKind.DATABASE, 5432),
        ("CELERY_BROKER_URL", "rediss://:p@cache.internal:6380/0", AddresseeKind.REDIS, 6380),
        ("CELERY_BROKER_URL", "amqp://u:p@mq.internal", AddresseeKind.OTHER, 5672),
        ("CACHE_HOST", "master.x.abc.usw2.cache.amazonaws.com", AddresseeKind.REDIS, 6379),
        ("SEARCH_ENDPOINT", "https://vpc-x.us-west-2.es.amazonaws.com", AddresseeKind.OPENSEARCH, 443),
        ("UPLOADS_ENDPOINT", "https://s3.us-west-2.amazonaws.com", AddresseeKind.FILES, 443),
        ("PAYMENTS_URL", "https://pay.example.com/v1", AddresseeKind.OTHER, 443),
    ],
)
def test_addresses_of_the_environment(variable: str, value: str, kind: AddresseeKind, port: int) -> None:
    (one,) = known({variable: value})
    assert (one.kind, one.port, one.variable) == (kind, port, variable)
    assert named(f"cannot connect to {one.host}:{port}", {variable: value}) == one


@pytest.mark.parametrize("value", ["http://[::bad", "not a host", "", "-", "https://x:notaport/"])
def test_what_is_no_address_names_nobody(value: str) -> None:
    assert known({"DATABASE_URL": value, "API_HOST": value}) == ()
