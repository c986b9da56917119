"""Both ways to the PostgreSQL server (over SSM and directly) do the same, on a real server of the local cloud."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import pytest
import trustme
from psycopg import sql
from pydantic import SecretStr

from orchestrator.database import ssm
from orchestrator.database.contents import DatabaseContents
from orchestrator.database.direct import Endpoint
from orchestrator.database.marks import Mark
from orchestrator.database.model import ServerContents, WantedDatabase, missing, unowned
from orchestrator.database.ownership import OwnershipRules, candidates, database_is_ours, role_is_ours, unmarked
from orchestrator.database.server import Server
from orchestrator.errors import OrchestratorError, PartlyFailed
from orchestrator.stack.contract import Database
from tests.conformance.place import Place, as_tenant
from tests.faults.figures import sized, tell

pytestmark = pytest.mark.cloud


def lacks(one: WantedDatabase, server: Server) -> tuple[str, ...]:
    return missing(one, server.observe([one]))


def test_from_nothing_to_all_there_and_twice_is_nothing(place: Place, server: Server, way: str) -> None:
    both = [place.wanted(f"{way}_first"), place.wanted(f"{way}_second")]
    assert all(len(missing(one, server.observe(both))) == 2 for one in both)
    server.ensure(both)
    seen = server.observe(both)
    assert [missing(one, seen) for one in both] == [(), ()]
    assert {seen.databases[one.database] for one in both} == {one.role for one in both}
    server.ensure(both)
    assert server.observe(both).databases == seen.databases


def test_one_tenant_cannot_connect_to_anothers_database(place: Place, server: Server, way: str) -> None:
    mine, theirs = place.wanted(f"{way}_mine"), place.wanted(f"{way}_theirs")
    server.ensure([mine, theirs])
    crossed = WantedDatabase("crossed", theirs.database, mine.role, mine.secret_arn)
    assert "permission denied" in server.observe([crossed]).logins["crossed"]


def test_another_owner_is_put_right(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_owned")
    with place.admin() as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(one.database)))
    server.ensure([one])
    assert lacks(one, server) == ()


def test_another_password_is_put_right(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_rotated")
    server.ensure([one])
    place.aws.client("secretsmanager").put_secret_value(
        SecretId=one.secret_arn, SecretString=json.dumps({"username": one.role, "password": "another"})
    )
    assert lacks(one, server) == (f"password of role {one.role}",)
    server.ensure([one])
    assert lacks(one, server) == ()


@pytest.mark.parametrize("value", ["hunter2", "[]", '{"username": "x"}'])
def test_a_secret_without_a_password_is_the_tenants_own_trouble(
    place: Place, server: Server, way: str, value: str
) -> None:
    name = f"{way}_malformed_{abs(hash(value))}"
    broken = WantedDatabase("broken", name, name, place.secret(name, value))
    good = place.wanted(f"{name}_good")
    seen = server.observe([broken, good])
    assert set(seen.secrets) == {"broken"}
    assert "hunter2" not in str(seen)


def test_a_database_no_tenant_owns_is_seen(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_left_over")
    server.ensure([one])
    assert one.database in unowned([], server.observe([place.wanted(f"{way}_other")]))
    assert not {"postgres", "rdsadmin", "template1"} & set(
        unowned([], ServerContents({"postgres": "x", "rdsadmin": "y"}))
    )


def test_what_we_make_bears_our_mark_and_peoples_words_stay(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_marked")
    server.ensure([one])
    with place.admin() as admin:
        line = one.mark.line.replace("}x-prod", "}x-old")
        admin.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(one.database), f"ask Bo\n{line}"))
    assert server.observe([one]).marks[one.database] == Mark("o'n{y}x-old", one.tenant, one.server)
    for _ in range(2):
        server.ensure([one])
        seen = server.observe([one])
        assert (seen.marks[one.database], seen.role_marks[one.role]) == (one.mark, one.mark)
        assert unmarked(one, seen, OwnershipRules()) == ()
    assert comment(place, one.database) == f"ask Bo\n{one.mark.line}"


def comment(place: Place, database: str) -> str:
    with place.admin() as admin:
        query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
        row = admin.execute(query, (database,)).fetchone()
    assert row
    return str(row[0])


BEFORE_MARKS: tuple[LiteralString, ...] = (
    "CREATE ROLE {0} LOGIN PASSWORD 'x'",
    "GRANT {0} TO CURRENT_USER",
    "CREATE DATABASE {0} OWNER {0} TEMPLATE template0",
    "REVOKE CONNECT ON DATABASE {0} FROM PUBLIC",
)
"""What versions before the marks did."""
THEIRS: dict[str, tuple[LiteralString, ...]] = {
    "open to all": BEFORE_MARKS[:3],
    "granted to others": (*BEFORE_MARKS, "GRANT CONNECT ON DATABASE {0} TO pg_monitor"),
    "of a role that may more": (*BEFORE_MARKS, "ALTER ROLE {0} CREATEDB"),
}


def by_hand(place: Place, name: str, statements: tuple[LiteralString, ...]) -> None:
    with place.admin() as admin:
        for statement in statements:
            admin.execute(sql.SQL(statement).format(sql.Identifier(name)))


def test_what_earlier_versions_made_is_known_by_owner_and_grants(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_before_marks")
    by_hand(place, one.database, BEFORE_MARKS)
    granted = "GRANT CONNECT ON DATABASE {0} TO db_readonly_user"  # as Onyx's migrations do
    server.ensure([place.wanted(f"{way}_makes_the_reader")])
    by_hand(place, one.database, (granted,))
    seen = server.observe([one])
    assert database_is_ours(one, seen, OwnershipRules())
    assert role_is_ours(one, seen, OwnershipRules())
    assert len(unmarked(one, seen, OwnershipRules())) == 2
    server.ensure([one])
    assert unmarked(one, server.observe([one]), OwnershipRules()) == ()


@pytest.mark.parametrize("how", THEIRS)
def test_a_database_that_others_made_is_not_ours(place: Place, server: Server, way: str, how: str) -> None:
    one = place.wanted(f"{way}_theirs_{how.replace(' ', '_')}")
    by_hand(place, one.database, THEIRS[how])
    seen = server.observe([one])
    assert not database_is_ours(one, seen, OwnershipRules())
    assert not role_is_ours(one, seen, OwnershipRules())
    assert role_is_ours(one, seen, OwnershipRules(adopted=frozenset({one.database})))


def test_a_role_that_was_there_keeps_its_password(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_keeps")
    by_hand(place, one.database, BEFORE_MARKS[:1])
    assert not role_is_ours(one, server.observe([one]), OwnershipRules())
    server.ensure([replace(one, keeps_password=True)])
    seen = server.observe([one])
    assert seen.marks[one.database] == one.mark
    assert "password authentication failed" in seen.logins[one.tenant]
    assert not role_is_ours(one, seen, OwnershipRules())


def test_a_renamed_database_is_found_by_what_it_holds(place: Place, server: Server, way: str) -> None:
    one, other = place.wanted(f"{way}_renamed"), place.wanted(f"{way}_renamed_not")
    server.ensure([one, other])
    with as_tenant(place, one) as mine:
        mine.execute("CREATE TABLE alembic_version (version_num text)")
    assert server.observe([one]).holds[one.database] == DatabaseContents(1, application=True)
    assert server.observe([other]).holds[other.database] == DatabaseContents(0, application=False)
    old = f"{way} host=evil.example.com user=x's"
    with place.admin() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (one.database, old))))
    seen = server.observe([one, other])
    assert seen.holds[old] == DatabaseContents(1, application=True)
    assert candidates(one, [one, other], seen) == (old,)
    assert candidates(other, [one, other], seen) == ()
    assert "evil" not in "".join(seen.logins.values())


def test_many_tenants_are_looked_at_and_made_in_parts(
    place: Place, server: Server, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is seen is the same as at once; whom something is refused is told, whichever part it was in."""
    many = [place.wanted(f"{way}_of_many_{number}") for number in range(5)]
    many[1] = replace(many[1], secret_arn=place.secret(f"{many[1].role}_empty", "{}"))
    server.ensure([many[0], many[4]])
    with as_tenant(place, many[0]) as mine:
        mine.execute("CREATE TABLE alembic_version (version_num text)")
    old = f"{many[0].database}_old"
    with place.admin() as admin:
        admin.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(*map(sql.Identifier, (many[0].database, old))))
    whole = server.observe(many)
    monkeypatch.setattr(ssm, "TOGETHER", 2)
    assert server.observe(many) == whole
    assert candidates(many[0], many, whole) == (old,)
    with pytest.raises(PartlyFailed) as failed:
        server.ensure(many[1:])
    assert set(failed.value.failures) == {many[1].tenant}
    seen = server.observe(many)
    assert [missing(one, seen) for one in many[2:]] == [()] * 3


def test_a_look_into_somebodys_database_changes_nothing_and_runs_nothing_of_theirs(
    place: Place, server: Server, way: str
) -> None:
    """Whoever owns it could have left functions and operators of his own for the admin user to run."""
    one = place.wanted(f"{way}_trap")
    server.ensure([one])
    with as_tenant(place, one) as mine:
        mine.execute("CREATE TABLE sprung (at text)")
        mine.execute(
            "CREATE FUNCTION public.count(text) RETURNS bigint LANGUAGE sql AS "
            "$$INSERT INTO public.sprung VALUES ($1); SELECT 0::bigint$$"
        )
        mine.execute("CREATE VIEW public.pg_class AS SELECT public.count('x') AS relnamespace, 'r' AS relkind")
        mine.execute(
            sql.SQL("ALTER DATABASE {} SET search_path = public, pg_catalog").format(sql.Identifier(one.database))
        )
    assert server.observe([place.wanted(f"{way}_trap_other")]).holds[one.database] == DatabaseContents(
        2, application=False
    )
    with as_tenant(place, one) as mine:
        assert mine.execute("SELECT count(*) FROM public.sprung").fetchone() == (0,)


def test_a_database_that_may_not_be_looked_into_is_unknown(place: Place, server: Server, way: str) -> None:
    one = place.wanted(f"{way}_closed")
    server.ensure([one])
    with place.admin() as admin:
        admin.execute(sql.SQL("REVOKE {} FROM CURRENT_USER").format(sql.Identifier(one.role)))
    seen = server.observe([place.wanted(f"{way}_closed_other")])
    assert seen.holds[one.database] is None


def test_a_wrong_admin_password_is_named_and_not_shown(place: Place, way: str) -> None:
    wrong = place.secret(f"{way}_wrong_admin", json.dumps({"username": "x", "password": "not-the-password"}))
    database = place.stack.database.model_copy(update={"admin_secret_arn": wrong})
    make: Callable[[Database], Server] = getattr(place, way)
    with pytest.raises(OrchestratorError) as caught:
        make(database).observe([])
    assert caught.value.problems[0].code == "admin-password-wrong"
    assert "not-the-password" not in str(caught.value)


def test_a_server_of_an_unknown_authority_gets_no_password(place: Place, way: str, tmp_path: Path) -> None:
    make: Callable[..., Server] = getattr(place, way)
    others = tmp_path / "others.pem"
    trustme.CA().cert_pem.write_to_path(str(others))
    with pytest.raises(OrchestratorError) as caught:
        make(ca_file=others).observe([])
    assert (caught.value.problems[0].code, type(caught.value)) == ("database-authority-unknown", OrchestratorError)


def test_a_certificate_for_another_name_is_not_taken(place: Place) -> None:
    with pytest.raises(OrchestratorError) as caught:
        place.direct(place.stack.database.model_copy(update={"host": "alias.example.com"})).observe([])
    assert caught.value.problems[0].code == "database-certificate-mismatch"


def test_a_server_without_tls_is_hopeless_at_once(place: Place) -> None:
    """One that answers `N` to the request for TLS."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            with listening.accept()[0] as session:
                session.recv(8)
                session.sendall(b"N")
                session.recv(1)

        with ThreadPoolExecutor(1) as pool:
            answered = pool.submit(answer)
            with pytest.raises(OrchestratorError) as caught:
                place.direct(endpoint=Endpoint(*listening.getsockname())).observe([])
            answered.result()
    assert (caught.value.problems[0].code, type(caught.value)) == ("database-without-tls", OrchestratorError)


def test_passwords_that_no_secret_holds_are_lent_and_gone(place: Place, way: str) -> None:
    known = {"admin_secret_arn": None, "admin_password": place.admins_password()}
    make: Callable[[Database], Server] = getattr(place, way)
    server = make(place.stack.database.model_copy(update=known))
    name, before = f"{way}_plain", len(commands(place))
    one = WantedDatabase(name, name, name, None, password=SecretStr("canary'of a \\plain ü password"))
    server.ensure([one])
    assert missing(one, server.observe([one])) == ()
    assert place.parameters().below("/orchestrate/onyx-prod") == {}
    sent = commands(place)[before:]
    assert len(sent) == (2 if way == "ssm" else 0)
    for secret in (one.password, place.admins_password()):
        assert secret is not None
        assert secret.get_secret_value() not in "".join(sent)


def commands(place: Place) -> list[str]:
    """What every command ever sent over SSM says, its request unpacked."""
    texts = []
    pages = place.aws.client("ssm").get_paginator("list_commands")
    for command in pages.paginate().search("Commands[]"):
        text = command["Parameters"]["commands"][0]
        packed = text.split("python3 - ", 1)[1].split(" ", 1)[0]
        texts.append(text + gzip.decompress(base64.b64decode(packed)).decode())
    return texts


def test_a_whole_value_and_a_parameter_of_ssm_serve_as_well(place: Place, server: Server, way: str) -> None:
    whole = WantedDatabase(f"{way}_whole", f"{way}_whole", f"{way}_whole", place.secret(f"{way}_w", "all of it"), "")
    place.parameters().put(f"/tenants/{way}", "in a parameter", "")
    arn = f"arn:aws:ssm:{place.stack.region}:{place.stack.account_id}:parameter/tenants/{way}"
    parameter = WantedDatabase(f"{way}_parameter", f"{way}_parameter", f"{way}_parameter", arn, "")
    server.ensure([whole, parameter])
    seen = server.observe([whole, parameter])
    assert (missing(whole, seen), missing(parameter, seen)) == ((), ())


def test_the_admin_as_a_tenants_role_keeps_its_password(place: Place, server: Server, way: str) -> None:
    admin = place.stack.database
    one = WantedDatabase("admins", f"{way}_admins", admin.admin_user, admin.admin_secret_arn, is_admin=True)
    server.ensure([one])
    seen = server.observe([one])
    assert (missing(one, seen), seen.databases[one.database]) == ((), admin.admin_user)


def test_a_role_without_a_known_password_owns_its_database(place: Place, server: Server, way: str) -> None:
    made = place.wanted(f"{way}_known")
    server.ensure([made])
    one = WantedDatabase("unknown", f"{way}_unknown", made.role, None)
    server.ensure([one])
    assert missing(one, server.observe([one])) == ()


def test_nobody_knows_the_admins_password(place: Place, way: str) -> None:
    make: Callable[[Database], Server] = getattr(place, way)
    with pytest.raises(OrchestratorError) as caught:
        make(place.stack.database.model_copy(update={"admin_secret_arn": None})).observe([])
    assert caught.value.problems[0].code == "admin-password-unknown"


def test_many_at_once_make_it_once(place: Place, server: Server, way: str) -> None:
    crowd = 20 if way == "direct" else sized(20, 4)
    one = place.wanted(f"{way}_raced")
    with ThreadPoolExecutor(crowd) as pool:
        list(pool.map(lambda _: server.ensure([one]), range(crowd)))
    assert lacks(one, server) == ()
    tell(f"races: {crowd} creators of one database at once ({way}), no error")


def test_a_password_is_stored_as_its_verifier_only(place: Place, server: Server, way: str) -> None:
    """The server never saw it in clear: what it keeps is SCRAM, and a login with it works."""
    one = place.wanted(f"{way}_scram")
    server.ensure([one])
    assert server.observe([one]).logins[one.tenant] == "ok"
