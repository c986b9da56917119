"""A login that was refused, and one that nobody answered: only the first may lead to a change."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from pydantic import SecretStr

from orchestrator.database.model import WantedDatabase, answered, missing, usable
from orchestrator.database.ssm import SsmServer
from orchestrator.database.tls import SHIPPED, authorities
from orchestrator.errors import OrchestratorError, PartlyFailed, Transient
from orchestrator.stack.contract import Database

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
WANTED = WantedDatabase("a", "onyx_a", "onyx_a", "arn:aws:secretsmanager:us-west-2:1:secret:a")
OTHER = WantedDatabase("b", "onyx_b", "onyx_b", "arn:aws:secretsmanager:us-west-2:1:secret:b")
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


class Lending:
    """Lends to whoever asks."""

    def lent(self, passwords: Mapping[str, SecretStr]) -> AbstractContextManager[Mapping[str, tuple[str, str]]]:
        return nullcontext(dict.fromkeys(passwords, ("/lent", "0")))


SAME = {"databases": {"onyx_a": "onyx_a"}, "roles": ["onyx_a"], "open": [], "logins": {"a": "ok"}, "secrets": {}}


def server(**answer: Any) -> SsmServer:
    return SsmServer(Shell(json.dumps(SAME | answer)), "i-1", DATABASE, "us-west-2")


@pytest.mark.parametrize("words", SAID)
def test_what_is_an_answer(words: str) -> None:
    assert answered(PREFIX + words) is SAID[words]


THROTTLED = "An error occurred (ThrottlingException) when calling"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"logins": {"a": PREFIX + "Connection refused", "b": "ok"}}, "database-unreachable"),
        ({"logins": {"b": "ok"}, "secrets": {"a": THROTTLED}}, "secret-unreadable"),
    ],
)
def test_without_an_answer_nothing_is_known_of_that_tenant_and_of_the_others_all(said: Any, code: str) -> None:
    both = {"databases": {"onyx_a": "onyx_a", "onyx_b": "onyx_b"}, "roles": ["onyx_a", "onyx_b"]}
    seen = server(**both, **said).observe([WANTED, OTHER])
    assert {tenant: problem.code for tenant, problem in seen.unseen.items()} == {"a": code}
    assert seen.passing == {"a"}
    assert "a" not in seen.logins
    assert "a" not in seen.secrets
    assert missing(OTHER, seen) == ()


def test_a_throttled_secret_of_the_admin_may_pass_too() -> None:
    with pytest.raises(Transient):
        server(error={"code": "secret-unreadable", "message": THROTTLED}).observe([WANTED])


def test_a_password_that_was_lent_just_now_may_not_show_yet_and_a_parameter_of_ones_own_that_is_gone_is_gone() -> None:
    said = {"secrets": {"a": "parameter-missing: ParameterNotFound: the parameter is not there"}, "logins": {}}
    lent = replace(WANTED, secret_arn=None, password=SecretStr("x"))
    assert SsmServer(Shell(json.dumps(SAME | said)), "i-1", DATABASE, "us-west-2", Lending()).observe([lent]).passing
    assert server(**said).observe([WANTED]).secrets.keys() == {"a"}


REFUSALS = {
    "ERROR:  55P03: canceling statement due to lock timeout": ("database-locked", True),
    'ERROR:  55006: source database "template1" is being accessed by other users': ("database-locked", True),
    "ERROR:  42501: must be owner of database onyx_a": ("admin-not-allowed", False),
    'ERROR:  23505: duplicate key value violates unique constraint "pg_database_datname_index"': (
        "database-raced",
        True,
    ),
    "ERROR:  53100: could not extend file: No space left on device": ("sql-failed", False),
}


@pytest.mark.parametrize("words", REFUSALS)
def test_what_postgresql_refuses_one_tenant_is_its_own(words: str) -> None:
    refused = {"a": {"code": "sql-failed", "message": f"psql:<stdin>:7: {words}"}}
    with pytest.raises(PartlyFailed) as caught:
        server(refused=refused).ensure([WANTED, OTHER])
    assert caught.value.failures.keys() == {"a"}
    failure = caught.value.failures["a"]
    assert (failure.problems[0].code, isinstance(failure, Transient)) == REFUSALS[words]
    assert failure.problems[0].fix
    server(refused={}).ensure([WANTED, OTHER])


@pytest.mark.parametrize("how", ["Could not connect to the", "Connect timeout on", "Read timeout on"])
@pytest.mark.parametrize("whose", ["a tenant's", "the admin's"])
def test_a_runner_without_a_way_to_aws_is_told_which_endpoint_it_lacks(how: str, whose: str) -> None:
    words = f'\n{how} endpoint URL: "https://secretsmanager.us-gov-west-1.amazonaws.com/"'
    error = {"code": "secret-unreadable", "message": words}
    if whose == "a tenant's":
        seen = server(secrets={"a": words}, logins={}).observe([WANTED])
        problem = seen.unseen["a"]
        assert seen.passing == {"a"}
    else:
        with pytest.raises(Transient) as caught:
            server(error=error).observe([WANTED])
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
    assert missing(WANTED, seen) == ("onyx_a private (every role may connect to it)",)
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
    with pytest.raises(OrchestratorError) as caught:
        server(**admins).observe([WANTED])
    assert type(caught.value) is OrchestratorError
    seen = server(logins={"a": PREFIX + words}).observe([WANTED])
    assert seen.passing == frozenset()
    for problem in (caught.value.problems[0], seen.unseen["a"]):
        assert problem.code == UNTRUSTED[words]
        assert problem.fix


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
