"""The tenant's database is dropped in the real server, as a destroy and apply would leave it.

Running tasks lose their connection, crash and can't boot again until somebody creates the database. Which database it
is stands in the task definitions of the tenant's services (POSTGRES_HOST, POSTGRES_DB and the credentials). It is
dropped by its owner, or by the RDS master user where that one owns it. Clearing the fault creates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import psycopg
from moto.ecs.models import ecs_backends
from moto.rds.models import rds_backends
from psycopg import sql

from orchestrator.errors import Problem, Refused
from orchestrator.local import launch
from orchestrator.local.cloud import ACCOUNT, Address, Cloud
from orchestrator.local.ecs_model import execution_role, services_of
from orchestrator.local.faults import Fault
from orchestrator.local.tasks import is_tenants


def _drop(cloud: Cloud, tenant: str) -> None:
    for environment in _environments(tenant):
        address = cloud.addresses.find(environment.get("POSTGRES_HOST", ""))
        if address is not None:
            _drop_database(address, environment)


def _environments(tenant: str) -> Iterator[Mapping[str, str]]:
    """The environment of every container of the tenant's services that names a database, once per database."""
    seen: set[str] = set()
    for region, backend in list(ecs_backends[ACCOUNT].items()):
        for service in services_of(backend):
            if service.status != "ACTIVE" or not is_tenants(tenant, service.name):
                continue
            definition = backend.describe_task_definition(service.task_definition)
            role = execution_role(definition)
            try:
                found = launch.environments(definition.container_definitions, role, "fault", region)
            except launch.LaunchFailed:
                continue
            for environment in found.values():
                if environment.get("POSTGRES_DB") and environment["POSTGRES_DB"] not in seen:
                    seen.add(environment["POSTGRES_DB"])
                    yield environment


def _drop_database(address: Address, environment: Mapping[str, str]) -> None:
    database = environment["POSTGRES_DB"]
    refusals: list[str] = []
    for user, password in _users(environment):
        try:
            with psycopg.connect(
                host=address.ip,
                port=address.port,
                user=user,
                password=password,
                dbname="postgres",
                autocommit=True,
                connect_timeout=5,
            ) as connection:
                statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
                connection.execute(statement)
                return
        except psycopg.Error as error:
            refusals.append(f"{user}: {type(error).__name__}")
    raise Refused(
        Problem("fault-failed", f'the database "{database}" could not be dropped ({"; ".join(refusals)})', "fault")
    )


def _users(environment: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield environment.get("POSTGRES_USER", ""), environment.get("POSTGRES_PASSWORD", "")
    for backend in list(rds_backends[ACCOUNT].values()):
        for instance in list(backend.databases.values()):
            if instance.address == environment["POSTGRES_HOST"]:
                yield str(instance.master_username), str(instance.master_user_password)


FAULT = Fault(
    name="missing-database",
    title="the tenant's database does not exist",
    guide="Terraform Destroy/Apply Cycle",
    inject=_drop,
)
