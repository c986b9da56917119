"""What PostgreSQL or AWS refuses one tenant is that tenant's, over both ways: the others' databases are made."""

from __future__ import annotations

import pytest
from psycopg import sql

from orchestrator.database.model import WantedDatabase, missing
from orchestrator.database.server import Server
from orchestrator.errors import PartlyFailed, Transient
from tests.conformance.place import Place

pytestmark = pytest.mark.cloud


def three(place: Place, name: str) -> list[WantedDatabase]:
    return [place.wanted(f"{name}_{which}") for which in ("first", "second", "third")]


def failures_of(server: Server, wanted: list[WantedDatabase]) -> dict[str, tuple[str, bool]]:
    """By tenant: the code, and whether it may pass."""
    with pytest.raises(PartlyFailed) as caught:
        server.ensure(wanted)
    return {name: (it.problems[0].code, isinstance(it, Transient)) for name, it in caught.value.failures.items()}


def left(server: Server, wanted: list[WantedDatabase]) -> list[tuple[str, ...]]:
    seen = server.observe(wanted)
    return [missing(one, seen) for one in wanted]


def test_a_lock_that_somebody_holds_stops_one_tenant_and_none_other(place: Place, server: Server, way: str) -> None:
    first, held, third = wanted = three(place, f"{way}_locked")
    server.ensure([held])
    with place.admin() as admin, admin.transaction():
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO CURRENT_USER").format(sql.Identifier(held.database)))
        assert failures_of(server, wanted) == {held.tenant: ("database-locked", True)}
        assert left(server, [first, third]) == [(), ()]
    server.ensure(wanted)
    assert left(server, wanted) == [(), (), ()]


def test_a_database_that_is_not_the_admins_to_change_is_that_tenants_trouble(
    place: Place, server: Server, way: str
) -> None:
    first, theirs, third = wanted = three(place, f"{way}_theirs")
    another = f"{way}_another"
    with place.admin() as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD 'of-another'").format(sql.Identifier(another)))
    with place.session(another, "of-another") as session:
        session.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(theirs.database)))
    assert failures_of(server, wanted) == {theirs.tenant: ("admin-not-allowed", False)}
    assert left(server, [first, third]) == [(), ()]


def test_a_secret_that_went_between_look_and_change_is_that_tenants_trouble(
    place: Place, server: Server, way: str
) -> None:
    first, gone, third = wanted = three(place, f"{way}_gone")
    place.aws.client("secretsmanager").delete_secret(SecretId=gone.secret_arn, ForceDeleteWithoutRecovery=True)
    assert server.observe(wanted).secrets.keys() == {gone.tenant}
    assert failures_of(server, wanted).keys() == {gone.tenant}
    assert left(server, [first, third]) == [(), ()]
