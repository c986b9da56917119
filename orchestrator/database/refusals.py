"""PostgreSQL's answers to a login, each with what it means and what repairs it: for our own sessions and the tasks'.

Its words are English on RDS, and in every client the same: libpq, asyncpg, pgx, node-postgres and JDBC pass them on.
What only the server's own log tells (an expired password: to the client it is a wrong one) is in `model.observation`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.errors import OrchestratorError, Problem, Transient

NAME = r'"(?P<name>[\w.@$-]+)"'


@dataclass(frozen=True, slots=True)
class LoginRefusal:
    """`fix` may hold `{name}`: the role or database that the answer names. Statements are the admin user's."""

    pattern: str
    code: str
    meaning: str
    fix: str


LOGIN = (
    LoginRefusal(
        r"PAM authentication failed for user|IAM authentication failed for the role",
        "database-login-iam",
        "PostgreSQL requires an IAM token from this role, not its password (it is a member of rds_iam)",
        "REVOKE rds_iam FROM the role to let it sign in with its password; to use tokens instead: rds-db:connect in "
        "the task role's policy, IAM authentication on in the server, a fresh token each connection",
    ),
    LoginRefusal(
        rf"role {NAME} is not permitted to log in",
        "database-role-without-login",
        "the role may not log in",
        'ALTER ROLE "{name}" LOGIN (as the admin user; ask who revoked it)',
    ),
    LoginRefusal(
        rf"FATAL:.*permission denied for database {NAME}",
        "database-connect-revoked",
        "the role may not connect to its database (CONNECT was revoked); a new password won't change that",
        'GRANT CONNECT ON DATABASE "{name}" TO its role (as the database\'s owner; ask who revoked it)',
    ),
    LoginRefusal(
        rf"database {NAME} is not currently accepting connections",
        "database-closed",
        "the database accepts no connections (datallowconn)",
        'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true (as the admin user; ask who closed it)',
    ),
    LoginRefusal(
        rf"too many connections for role {NAME}",
        "database-connection-limit",
        "the role has used up its connection limit",
        'ALTER ROLE "{name}" CONNECTION LIMIT -1 (or a higher one), or smaller pools in the application',
    ),
    LoginRefusal(
        rf"too many connections for database {NAME}",
        "database-connection-limit",
        "the database has used up its connection limit",
        'ALTER DATABASE "{name}" CONNECTION LIMIT -1 (or a higher one), or smaller pools in the application',
    ),
    LoginRefusal(
        r"(no pg_hba\.conf entry for|pg_hba\.conf rejects connection).*(no encryption|SSL off)"
        r"|[Pp]roxy requires (TLS|SSL)|connection is insecure|SSL/TLS required",
        "database-wants-tls",
        "PostgreSQL accepts no connection without TLS (rds.force_ssl), and the client used none",
        "make the task use TLS (PGSSLMODE=require in its environment; asyncpg: ssl=True, node-postgres: ssl), or set "
        "rds.force_ssl = 0 in the parameter group",
    ),
    LoginRefusal(
        r"no pg_hba\.conf entry for |pg_hba\.conf rejects connection",
        "database-host-refused",
        "PostgreSQL's rules (pg_hba.conf) admit nobody from this address",
        "on a server of your own, add a hostssl line for the subnets of the tasks; on RDS, check role and database",
    ),
    LoginRefusal(
        r"no password supplied|client password must be a (non-empty )?string|empty password returned by client",
        "database-password-missing",
        "the client sent no password",
        "give the container its password: POSTGRES_PASSWORD (or what the application calls it) in its secrets",
    ),
    LoginRefusal(
        r"SCRAM authentication requires libpq|authentication method 10 not supported"
        r"|authentication type 10 is not supported|unknown authentication type: 10",
        "database-client-too-old",
        "the client library does not support SCRAM, which the server requires",
        "use an image with libpq 10 or later (psycopg2-binary 2.8, pg 8, pgjdbc 42.2); not an md5 password",
    ),
    LoginRefusal(
        r"remaining connection slots are reserved|sorry, too many clients already|no more connections allowed"
        r"|[Tt]imed-out waiting to acquire database connection",
        "database-connections-exhausted",
        "PostgreSQL has no connections left",
        "end the sessions that hold them (pg_stat_activity), or use a larger instance class: its memory sets "
        "max_connections",
    ),
)


def of(said: str) -> LoginRefusal | None:
    """What the answer means; None: it is none of these."""
    return next((one for one in LOGIN if re.search(one.pattern, said)), None)


_PASSING = frozenset({"database-connections-exhausted", "database-connection-limit"})


def problem(refusal: LoginRefusal, said: str) -> OrchestratorError:
    """Of a session of our own, as the admin user. That there is no connection left may pass; nothing else does."""
    found = Problem(refusal.code, said, "tenant-databases", remedy(refusal, said))
    return Transient(found) if refusal.code in _PASSING else OrchestratorError(found)


def let_in(said: str) -> bool:
    """Whether the role had signed in: PostgreSQL counts its connections only after it knows who it is."""
    return bool(re.search(r"too many connections for (role|database)", said))


def remedy(refusal: LoginRefusal, said: str) -> str:
    """Its fix, with the name from the answer."""
    found = re.search(refusal.pattern, said)
    named = found.groupdict() if found else {}
    return refusal.fix.format(name=named.get("name") or "…") if "{name}" in refusal.fix else refusal.fix
