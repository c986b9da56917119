"""What a person set to keep a role out is named, over both ways, and no password is set against it."""

from __future__ import annotations

import pytest
from psycopg import sql

from orchestrator.database.model import unowned
from orchestrator.database.server import Server
from orchestrator.engine.step import Blocked
from orchestrator.steps import tenant_databases
from tests.conformance.place import Place

pytestmark = pytest.mark.cloud

KEPT_OUT = {
    "revoked": (
        "database-connect-revoked",
        "REVOKE CONNECT ON DATABASE {0} FROM {0}",
        "GRANT CONNECT ON DATABASE {0} TO {0}",
    ),
    "expired": (
        "database-role-expired",
        "ALTER ROLE {0} VALID UNTIL '2020-01-01'",
        "ALTER ROLE {0} VALID UNTIL 'infinity'",
    ),
    "none": ("database-connection-limit", "ALTER ROLE {0} CONNECTION LIMIT 0", "ALTER ROLE {0} CONNECTION LIMIT -1"),
    "shut": (
        "database-connection-limit",
        "ALTER DATABASE {0} CONNECTION LIMIT 0",
        "ALTER DATABASE {0} CONNECTION LIMIT -1",
    ),
    "closed": (
        "database-closed",
        "ALTER DATABASE {0} ALLOW_CONNECTIONS false",
        "ALTER DATABASE {0} ALLOW_CONNECTIONS true",
    ),
}


@pytest.mark.parametrize("how", KEPT_OUT)
def test_what_keeps_a_role_out_is_named_and_the_fix_lets_it_in(
    place: Place, server: Server, way: str, how: str
) -> None:
    code, statement, fix = KEPT_OUT[how]
    one = place.wanted(f"{way}_{how}")
    name = sql.Identifier(one.database)
    server.ensure([one])
    with place.admin() as admin:
        admin.execute(sql.SQL(statement).format(name))
        seen = server.observe([one])
        assert seen.hindrances[one.tenant].code == code
        verdict = tenant_databases.decide(tenant_databases.TenantDatabasesFacts((one,), seen))[one.tenant]
        assert isinstance(verdict, Blocked)
        assert verdict.problem.code == code
        assert fix.split(" {0}")[0] in verdict.problem.fix
        admin.execute(sql.SQL(fix).format(name))
    assert server.observe([one]).hindrances == {}
    assert server.observe([one]).logins == {one.tenant: "ok"}


def test_a_setting_that_makes_everything_read_only_is_seen(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_reads")
    server.ensure([one])
    with place.admin() as admin:
        admin.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(one.database))
        )
    assert server.observe([one]).read_only == {one.tenant}


def test_a_role_that_has_used_up_its_connections_has_the_right_password(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_used")
    server.ensure([one])
    with place.admin() as admin:
        admin.execute(sql.SQL("ALTER ROLE {} CONNECTION LIMIT 1").format(sql.Identifier(one.role)))
    with place.session(one.role, f"pw-of-{one.role}'\\ü"):
        seen = server.observe([one])
    assert seen.logins == {one.tenant: "ok"}
    assert seen.hindrances[one.tenant].code == "database-connection-limit"


def test_a_database_that_was_set_aside_closed_is_no_empty_place(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_aside")
    old, name = sql.Identifier(f"{one.database}_old"), sql.Identifier(one.database)
    server.ensure([one])
    with place.admin() as admin:
        for statement in (
            "ALTER DATABASE {name} RENAME TO {old}",
            "COMMENT ON DATABASE {old} IS NULL",
            "ALTER DATABASE {old} OWNER TO CURRENT_USER",
            "ALTER DATABASE {old} ALLOW_CONNECTIONS false",
        ):
            admin.execute(sql.SQL(statement).format(name=name, old=old))
    seen = server.observe([one])
    verdict = tenant_databases.decide(tenant_databases.TenantDatabasesFacts((one,), seen))[one.tenant]
    assert isinstance(verdict, Blocked)
    assert verdict.problem.code == "database-renamed"
    assert f"{one.database}_old" in unowned([one], seen), "a restore names it among what is lost with the server"
    with place.admin() as admin:
        admin.execute(sql.SQL("DROP DATABASE {}").format(old))
