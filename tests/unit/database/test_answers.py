"""A login that was refused, and one that nobody answered: only the first may lead to a change."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from orchestrator.contract import Database
from orchestrator.database.model import Wanted, answered, missing, usable
from orchestrator.database.ssm import SsmServer
from orchestrator.database.tls import SHIPPED, authorities
from orchestrator.errors import OrchestratorError, Transient

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


UNTRUSTED = {
    "SSL error: certificate verify failed": "database-authority-unknown",
    'server certificate for "db.internal" (and 1 other name) does not match host name "db.example.com"': (
        "database-certificate-mismatch"
    ),
    "server does not support SSL, but SSL was required": "database-without-tls",
    'root certificate file "/etc/pki/rds/global-bundle.pem" does not exist': "database-authorities-missing",
    "SSL error: tlsv1 alert protocol version": "database-tls-refused",
    'authentication method requirement "scram-sha-256" failed: server requested a hashed password': (
        "database-password-not-scram"
    ),
}


@pytest.mark.parametrize("words", UNTRUSTED)
def test_a_server_that_cannot_be_trusted_is_not_waited_for(words: str) -> None:
    """Nor does it become so by waiting, whoever of the roles heard it."""
    admins = {"error": {"code": "sql-failed", "message": f"psql: error: {PREFIX}{words}"}}
    for said in (admins, {"logins": {"a": PREFIX + words}}):
        with pytest.raises(OrchestratorError) as caught:
            server(**said).observe([WANTED])
        assert type(caught.value) is OrchestratorError
        assert caught.value.problems[0].code == UNTRUSTED[words]
        assert caught.value.problems[0].fix


@pytest.mark.parametrize("words", ["SSL SYSCALL error: EOF detected", "SSL connection has been closed unexpectedly"])
def test_a_cut_connection_is_no_question_of_trust(words: str) -> None:
    with pytest.raises(Transient):
        server(error={"code": "sql-failed", "message": f"{PREFIX}{words}"}).observe([WANTED])


def test_the_region_s_authorities_are_sent_and_no_others() -> None:
    pem = authorities("us-west-2", None).pem
    assert pem.count("BEGIN CERTIFICATE") == 3
    assert len(pem) < 6_000, "SSM's parameters hold 64 KB, with the program and hundreds of tenants"
    names = [one.subject.rfc4514_string() for one in x509.load_pem_x509_certificates(pem.encode())]
    assert all("us-west-2" in name for name in names)


def test_the_shipped_authorities_are_those_that_the_file_says(tmp_path: Path) -> None:
    text = SHIPPED.read_text()
    found = {one.fingerprint(hashes.SHA256()).hex(): one for one in x509.load_pem_x509_certificates(text.encode())}
    assert set(re.findall(r"^# Amazon RDS .* ([0-9a-f]{64})$", text, re.MULTILINE)) == found.keys()
    assert all(one.issuer == one.subject for one in found.values())
    own = tmp_path / "own.pem"
    own.write_text("mine")
    assert authorities("us-west-2", own).pem == "mine"
