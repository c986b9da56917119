"""The tenant's database is dropped in the real server, as a destroy and apply would leave it.

Running tasks lose their connection, crash and can't boot again until somebody creates the database. It is dropped by
its owner, or by the RDS master user where that one owns it. Clearing the fault creates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg import sql

from orchestrator.errors import Problem, Refused
from orchestrator.local.core.cloud import Cloud
from orchestrator.local.faults import Fault, inside_database
from orchestrator.local.faults.inside_database import DatabaseUser


def _drop(cloud: Cloud, tenant: str) -> None:
    masters = dict(inside_database.masters(cloud))
    for address, environment in inside_database.environments(cloud, tenant):
        users = [inside_database.owner(address, environment), masters.get(environment["POSTGRES_HOST"])]
        _drop_database(environment["POSTGRES_DB"], [one for one in users if one])


def _drop_database(database: str, users: Sequence[DatabaseUser]) -> None:
    refusals: list[str] = []
    for user in users:
        try:
            with user.connect("postgres") as connection:
                statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
                connection.execute(statement)
                return
        except psycopg.Error as error:
            refusals.append(f"{user.user}: {type(error).__name__}")
    raise Refused(
        Problem("fault-failed", f'the database "{database}" could not be dropped ({"; ".join(refusals)})', "fault")
    )


FAULT = Fault(
    name="missing-database",
    title="the tenant's database does not exist",
    guide="Terraform Destroy/Apply Cycle",
    inject=_drop,
)
