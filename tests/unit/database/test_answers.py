"""A login that was refused, and one that nobody answered: only the first may lead to a change."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from orchestrator.contract import Database
from orchestrator.database.model import Wanted, answered, missing, usable
from orchestrator.database.ssm import SsmServer
from orchestrator.errors import Transient

PREFIX = 'connection to server at "db" (192.0.2.1), port 5432 failed: '
SAID = {
    'FATAL:  password authentication failed for user "onyx_a"': True,
    'FATAL:  permission denied for database "onyx_a"': True,
    'FATAL:  role "onyx_a" is not permitted to log in': True,
    "FATAL:  the database system is starting up": False,
    "FATAL:  the database system is shutting down": False,
    "FATAL:  sorry, too many clients already": False,
    "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER attribute": False,
    "FATAL:  terminating connection due to administrator command": False,
    "Connection refused": False,
    "timeout expired": False,
    "server closed the connection unexpectedly": False,
}
WANTED = Wanted("a", "onyx_a", "onyx_a", "arn:aws:secretsmanager:us-west-2:1:secret:a")
DATABASE = Database(
    instance="x",
    host="db.example.com",
    port=5432,
    admin_user="root",
    admin_secret_arn="arn:aws:secretsmanager:us-west-2:1:secret:x",
)


@dataclass
class Shell:
    """Gives one answer."""

    stdout: str

    def run(self, instance_id: str, script: str, *, comment: str, timeout: int) -> Any:
        return self


def server(**answer: Any) -> SsmServer:
    said = {"databases": {"onyx_a": "onyx_a"}, "roles": ["onyx_a"], "open": [], "logins": {"a": "ok"}, "secrets": {}}
    return SsmServer(Shell(json.dumps(said | answer)), "i-1", DATABASE, "us-west-2")


@pytest.mark.parametrize("words", SAID)
def test_what_is_an_answer(words: str) -> None:
    assert answered(PREFIX + words) is SAID[words]


def test_without_an_answer_nothing_is_known() -> None:
    with pytest.raises(Transient):
        server(logins={"a": PREFIX + "Connection refused"}).observe([WANTED])
    with pytest.raises(Transient):
        server(secrets={"a": "An error occurred (ThrottlingException) when calling"}).observe([WANTED])


@pytest.mark.parametrize("how", ["Could not connect to the", "Connect timeout on", "Read timeout on"])
@pytest.mark.parametrize("whose", ["a tenant's", "the admin's"])
def test_a_runner_without_a_way_to_aws_is_told_which_endpoint_it_lacks(how: str, whose: str) -> None:
    words = f'\n{how} endpoint URL: "https://secretsmanager.us-gov-west-1.amazonaws.com/"'
    error = {"code": "secret-unreadable", "message": words}
    said: dict[str, Any] = {"secrets": {"a": words}} if whose == "a tenant's" else {"error": error}
    with pytest.raises(Transient) as caught:
        server(**said).observe([WANTED])
    problem = caught.value.problems[0]
    assert problem.code == "runner-without-way-to-aws"
    assert "com.amazonaws.us-gov-west-1.secretsmanager" in problem.fix
    assert "NAT gateway" in problem.fix


def test_a_refused_login_is_a_password_to_set() -> None:
    seen = server(logins={"a": PREFIX + "FATAL:  password authentication failed"}).observe([WANTED])
    assert missing(WANTED, seen) == ("password of role onyx_a",)
    assert not usable(WANTED, seen)


def test_a_database_open_to_all_is_closed_and_nobody_missed_anything() -> None:
    seen = server(open=["onyx_a"]).observe([WANTED])
    assert missing(WANTED, seen) == ("onyx_a private (every role may enter it)",)
    assert usable(WANTED, seen)
