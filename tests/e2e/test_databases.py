"""What `orchestrate run` leaves alone in the database server: data under another name, and what others made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.e2e.stage import Ended, Stage
from tests.waiting import until

pytestmark = pytest.mark.cloud

MINE, OTHER = "onyx_customer_a", "onyx_customer_b"
STEP = "tenant-databases"


def look(stage: Stage, *arguments: str, transport: str = "direct") -> Ended:
    """A run of the one step."""
    return stage.run("--database-transport", transport, "--only", STEP, *arguments)


def codes(ended: Ended) -> list[str]:
    return [one["code"] for one in ended.of("finding-reported", STEP)]


def statement(text: str, *names: str) -> sql.Composed:
    return sql.SQL(text).format(*map(sql.Identifier, names))


def rename(stage: Stage, database: str, to: str) -> None:
    """As an operator does: sessions are ended first."""
    with stage.admin() as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (database,))
        admin.execute(statement("ALTER DATABASE {} RENAME TO {}", database, to))


@contextmanager
def extra(stage: Stage, database: str, *contents: str) -> Iterator[None]:
    """A database of nobody's."""
    with stage.admin() as admin:
        admin.execute(statement("CREATE DATABASE {} TEMPLATE template0", database))
    said = stage.contract["database"]
    with stage.login(said["admin_user"], stage.secret(said["admin_secret_arn"])["password"], database) as session:
        for text in contents:
            session.execute(text.encode())
    try:
        yield
    finally:
        with stage.admin() as admin:
            admin.execute(statement("DROP DATABASE {} WITH (FORCE)", database))


@pytest.mark.parametrize("transport", ["direct", "ssm"])
def test_a_renamed_database_is_named_with_what_undoes_it(alive: Stage, transport: str) -> None:
    old = f"{MINE}_old"
    rename(alive, MINE, old)
    ended = look(alive, transport=transport)
    assert (ended.status, ended.failures) == (3, [(STEP, "customer-a", "database-renamed")])
    assert ended.of("step-done", STEP, "customer-b"), "the other tenant's is as it was"
    assert MINE not in alive.databases()
    assert "DROP" not in ended.stdout

    failed = ended.of("step-failed", STEP)[0]
    undo = re.search(r'ALTER DATABASE "[^"]+" RENAME TO "[^"]+"', failed["fix"])
    assert undo
    with alive.admin() as admin:
        admin.execute(undo[0].encode())
    assert look(alive, transport=transport).succeeded().last["changed"] == 0
    with alive.tenant_login("customer-a") as session:
        assert session.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


def test_a_renamed_database_of_another_owner_is_found_and_the_doctor_says_the_same(alive: Stage) -> None:
    old = "before the migration"
    rename(alive, MINE, old)
    with alive.admin() as admin:
        admin.execute(statement("ALTER DATABASE {} OWNER TO {}", old, alive.contract["database"]["admin_user"]))
        admin.execute(statement("COMMENT ON DATABASE {} IS NULL", old))
    try:
        assert look(alive).codes == {"database-renamed"}
        doctor = alive.command("doctor", "--database-transport", "direct", "--json")
        assert "database-renamed" in {one.get("code") for one in doctor.of("finding-reported")}
        assert MINE not in alive.databases()
    finally:
        rename(alive, old, MINE)
    assert look(alive).codes == {"database-not-adopted"}, "nothing but its name tells that it is ours"
    assert look(alive, "--adopt-database", MINE).succeeded().last["changed"] == 1


def test_a_new_one_is_made_when_asked_for_and_the_old_one_is_kept(alive: Stage) -> None:
    old = f"{MINE}_2024"
    rename(alive, MINE, old)
    made = look(alive, "--new-database", MINE).succeeded()
    assert made.last["changed"] == 1
    assert "database-data-gone" not in codes(made), "its data lie beside it"
    again = look(alive).succeeded()
    assert (again.last["changed"], codes(again)) == (0, ["database-unowned"])
    assert "customer-a" in again.of("finding-reported", STEP)[0]["detail"]
    assert "DROP" not in again.stdout
    with alive.admin() as admin:
        admin.execute(statement("DROP DATABASE {} WITH (FORCE)", MINE))
    rename(alive, old, MINE)


def test_names_that_no_tenant_has_are_refused(alive: Stage) -> None:
    ended = look(alive, "--new-database", "typo", "--adopt-database", "other")
    assert ended.status == 2
    assert ended.stdout.count("database-unknown") == 2


def test_what_is_gone_is_said_with_the_newest_backup(alive: Stage) -> None:
    rds, instance = alive.aws.client("rds"), alive.contract["database"]["instance"]
    rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier="before-it-happened")
    taken = {"DBSnapshotIdentifier": "before-it-happened"}
    until(
        "the snapshot is there", lambda: rds.describe_db_snapshots(**taken)["DBSnapshots"][0]["Status"] == "available"
    )
    alive.fault("missing-database", "customer-b")
    ended = look(alive).succeeded()
    alive.clear_faults()
    assert codes(ended) == ["database-data-gone"]
    assert "before-it-happened" in ended.of("finding-reported", STEP)[0]["detail"]


def test_a_drop_is_spoken_of_only_where_nothing_is(alive: Stage) -> None:
    with extra(alive, "nothing_in_it"), extra(alive, "a_view", "CREATE VIEW kept AS SELECT 1"):
        found = {one["detail"].split()[1]: one["fix"] for one in look(alive).succeeded().of("finding-reported", STEP)}
    assert found.keys() == {"nothing_in_it", "a_view"}
    assert "DROP DATABASE" in found["nothing_in_it"]
    assert "DROP" not in found["a_view"]


@pytest.fixture
def theirs(alive: Stage) -> Iterator[psycopg.Connection]:
    """Customer B's database was there before orchestrate; somebody's BI enters it as everybody may."""
    role = alive.contract["tenants"]["customer-b"]["role"]
    with alive.admin() as admin:
        for text in ("COMMENT ON DATABASE {} IS NULL", "GRANT CONNECT ON DATABASE {} TO PUBLIC"):
            admin.execute(statement(text, OTHER))
        admin.execute(statement("COMMENT ON ROLE {} IS 'the shop''s'", role))
        admin.execute("CREATE ROLE bi LOGIN PASSWORD 'bi'")
    with alive.login("bi", "bi", OTHER) as session:
        yield session
    with alive.admin() as admin:
        admin.execute("DROP ROLE bi")


def test_a_database_that_others_made_is_left_alone_until_somebody_asks(
    alive: Stage, theirs: psycopg.Connection
) -> None:
    for transport in ("direct", "ssm"):
        ended = look(alive, transport=transport).succeeded()
        assert (ended.last["changed"], codes(ended)) == (0, ["database-not-adopted"])
        assert "--adopt-database onyx_customer_b" in ended.of("finding-reported", STEP)[0]["fix"]
        alive.login("bi", "bi", OTHER).close()

    (alive.work / "orchestrate.toml").write_text(f'adopt-database = ["{OTHER}"]\n')
    try:
        assert look(alive).succeeded().last["changed"] == 1
    finally:
        (alive.work / "orchestrate.toml").unlink()
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        alive.login("bi", "bi", OTHER)
    query = "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = 'onyx_customer_b'"
    assert str(alive.query(query)[0][0]).startswith("the shop's\norchestrate {"), "people's words stay"
    assert look(alive).succeeded().last["changed"] == 0, "it is ours now, asked for or not"
    assert not theirs.closed


def test_a_database_of_another_stack_is_never_touched(alive: Stage) -> None:
    host = alive.contract["database"]["host"]
    mark = json.dumps({"server": host, "stack": "onyx-staging", "tenant": "customer-b"})
    comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
    with alive.admin() as admin:
        admin.execute(comment.format(sql.Identifier(OTHER), f"orchestrate {mark}"))
        admin.execute(statement("GRANT CONNECT ON DATABASE {} TO PUBLIC", OTHER))
    ended = look(alive, "--adopt-database", OTHER)
    assert (ended.status, ended.failures) == (3, [(STEP, "customer-b", "database-of-another-stack")])
    comments = alive.query("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname LIKE '%_b'")
    assert comments == [(f"orchestrate {mark}",)]
    with alive.admin() as admin:
        admin.execute(statement("COMMENT ON DATABASE {} IS NULL", OTHER))
    assert look(alive, "--adopt-database", OTHER).succeeded().last["changed"] == 1
