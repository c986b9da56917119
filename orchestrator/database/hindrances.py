"""What keeps a tenant's role out of its database although role, database and password are right. Pure.

A person set each of these, so none is undone unasked; a new password cures none. An expired password is told to nobody
but the server's own log: to the client it is a wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from orchestrator.database import refusals
from orchestrator.errors import Problem

REVOKED = "database-connect-revoked"


def query(triples: Sequence[tuple[str, str, str]]) -> str:
    """An SQL expression: a JSON object, by tenant. `triples`: tenant, role and database, each as an SQL literal."""
    if not triples:
        return "'{}'::json"
    rows = ", ".join(f"({', '.join(one)})" for one in triples)
    facts = {
        "expires": "CASE WHEN r.rolvaliduntil < now() THEN r.rolvaliduntil::text END",
        "iam": "EXISTS (SELECT FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid "
        "WHERE g.rolname = 'rds_iam' AND m.member = r.oid)",
        "none_of_role": "r.rolconnlimit = 0",
        "none_of_database": "d.datconnlimit = 0",
        "closed": "NOT d.datallowconn",
        # Who doesn't own the database lacks more than CONNECT, and gets it with the rest.
        "barred": "d.datdba = r.oid AND NOT has_database_privilege(r.oid, d.oid, 'CONNECT')",
        "reads_only": "EXISTS (SELECT FROM pg_db_role_setting s, unnest(s.setconfig) one WHERE one = "
        "'default_transaction_read_only=on' AND s.setdatabase IN (0, d.oid) AND s.setrole IN (0, r.oid))",
    }
    parts = ", ".join(f"'{name}', {value}" for name, value in facts.items())
    return (  # every part is a constant, or a literal that the caller has quoted
        f"(SELECT coalesce(json_object_agg(w.tenant, json_build_object({parts})), '{{}}') "  # noqa: S608
        f"FROM (VALUES {rows}) AS w(tenant, role, base) JOIN pg_roles r ON r.rolname = w.role "
        "LEFT JOIN pg_database d ON d.datname = w.base)"
    )


def of(said: Mapping[str, Any], login: str, tenant: str, role: str, database: str) -> Problem | None:
    """The first thing in the way, of what the catalogue says and how the server answered the login; None: nothing."""
    return next(_found(said, login, tenant, role, database), None)


def _found(said: Mapping[str, Any], login: str, tenant: str, role: str, database: str) -> Iterator[Problem]:
    if said.get("closed"):
        message = f"database {database} accepts no connections (datallowconn is false)"
        fix = f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true (as the admin user; ask who closed it)'
        yield Problem("database-closed", message, tenant, fix)
    if said.get("barred"):
        message = (
            f"role {role} may not connect to {database}: CONNECT was revoked, and a new password won't change that"
        )
        fix = f'GRANT CONNECT ON DATABASE "{database}" TO "{role}" (as its owner or the admin user; ask who revoked it)'
        yield Problem(REVOKED, message, tenant, fix)
    if said.get("expires") and login != "ok":
        message = f"the password of role {role} expired at {said['expires']}; a new one would be expired too"
        fix = f"ALTER ROLE \"{role}\" VALID UNTIL 'infinity' (as the admin user; ask who set the date)"
        yield Problem("database-role-expired", message, tenant, fix)
    for flag, kind, name in (("none_of_role", "ROLE", role), ("none_of_database", "DATABASE", database)):
        if said.get(flag):
            message = f"{kind.lower()} {name} is allowed no connections at all (CONNECTION LIMIT 0)"
            fix = f'ALTER {kind} "{name}" CONNECTION LIMIT -1 (as the admin user; ask who set it)'
            yield Problem("database-connection-limit", message, tenant, fix)
    if said.get("iam") and login != "ok":
        message = f"role {role} is a member of rds_iam: RDS accepts IAM tokens from it, and no password"
        fix = f'REVOKE rds_iam FROM "{role}" (as the admin user), unless the application signs in with tokens'
        yield Problem("database-login-iam", message, tenant, fix)
    refusal = refusals.of(login)
    # Of CONNECT the catalogue has the last word: who doesn't own the database gets it when the database becomes theirs.
    if refusal and not (refusal.code == REVOKED and "barred" in said):
        fix = refusals.remedy(refusal, login)
        yield Problem(refusal.code, f"{role} can't sign in to {database}: {refusal.meaning}", tenant, fix)


def let_in(said: Mapping[str, Any], login: str) -> bool:
    """Whether the role had signed in, and only its connections are used up: its password is right, and it works."""
    return refusals.let_in(login) and not (said.get("none_of_role") or said.get("none_of_database"))


def reads_only(said: Mapping[str, Any]) -> bool:
    """Whether a setting of the role or the database makes every transaction read-only."""
    return bool(said.get("reads_only"))
