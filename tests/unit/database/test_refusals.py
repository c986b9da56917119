"""A refused session of our own: what will not pass is not waited for, and says what mends it."""

from __future__ import annotations

import pytest

from orchestrator.database import hindrances, refusals
from orchestrator.errors import Transient

WHERE = 'connection to server at "db.example.com" (10.0.1.5), port 5432 failed: FATAL:  '
LASTING = [
    ('PAM authentication failed for user "root"', "database-login-iam", "REVOKE rds_iam"),
    ('role "root" is not permitted to log in', "database-role-without-login", 'ALTER ROLE "root" LOGIN'),
    ('permission denied for database "shop_a"', "database-connect-revoked", 'GRANT CONNECT ON DATABASE "shop_a"'),
    ('database "shop_a" is not currently accepting connections', "database-closed", "ALLOW_CONNECTIONS true"),
    ('no pg_hba.conf entry for host "10.0.2.7", user "root", SSL encryption', "database-host-refused", "hostssl"),
]


@pytest.mark.parametrize(("said", "code", "fix"), LASTING)
def test_what_will_not_pass_is_lasting(said: str, code: str, fix: str) -> None:
    refusal = refusals.of(WHERE + said)
    assert refusal is not None
    error = refusals.problem(refusal, WHERE + said)
    assert not isinstance(error, Transient)
    assert error.problems[0].code == code
    assert fix in error.problems[0].fix


@pytest.mark.parametrize("said", ["sorry, too many clients already", 'too many connections for role "root"'])
def test_that_no_connection_is_left_may_pass(said: str) -> None:
    refusal = refusals.of(WHERE + said)
    assert refusal is not None
    assert isinstance(refusals.problem(refusal, WHERE + said), Transient)


@pytest.mark.parametrize(
    "said", ["Connection timed out", "Connection refused", 'FATAL:  password authentication failed for user "root"']
)
def test_what_is_no_answer_of_these_is_left_to_others(said: str) -> None:
    assert refusals.of(f'connection to server at "db" (10.0.1.5), port 5432 failed: {said}') is None


def test_used_up_connections_are_a_right_password_unless_none_is_allowed() -> None:
    said = 'FATAL:  too many connections for role "a"'
    assert hindrances.let_in({}, said)
    assert not hindrances.let_in({"none_of_role": True}, said)
    assert not hindrances.let_in({}, 'FATAL:  password authentication failed for user "a"')
