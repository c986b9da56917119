"""What a fault does inside the real database servers: as the tenant's own role, or as the RDS master user.

Which databases are a tenant's stands in the task definitions of its services (POSTGRES_HOST, POSTGRES_DB and the
credentials).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psycopg
from moto.ecs.models import ecs_backends
from moto.rds.models import rds_backends

from orchestrator.local.core.cloud import ACCOUNT, Address, Cloud
from orchestrator.local.ecs import launch
from orchestrator.local.ecs.model import execution_role, services_of
from orchestrator.local.ecs.tasks import is_tenants


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """A user of a server, and its password."""

    address: Address
    user: str
    password: str

    def connect(self, database: str) -> psycopg.Connection:
        """A session that commits each statement. Raises psycopg.Error."""
        return psycopg.connect(
            host=self.address.ip,
            port=self.address.port,
            user=self.user,
            password=self.password,
            dbname=database,
            autocommit=True,
            connect_timeout=5,
        )


def environments(cloud: Cloud, tenant: str) -> Iterator[tuple[Address, Mapping[str, str]]]:
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
                address = cloud.addresses.find(environment.get("POSTGRES_HOST", ""))
                if address and environment.get("POSTGRES_DB") and environment["POSTGRES_DB"] not in seen:
                    seen.add(environment["POSTGRES_DB"])
                    yield address, environment


def owner(address: Address, environment: Mapping[str, str]) -> DatabaseUser:
    """The tenant's own role."""
    return DatabaseUser(address, environment.get("POSTGRES_USER", ""), environment.get("POSTGRES_PASSWORD", ""))


def masters(cloud: Cloud) -> Iterator[tuple[str, DatabaseUser]]:
    """Every server's host name and its master user."""
    for backend in list(rds_backends[ACCOUNT].values()):
        for instance in list(backend.databases.values()):
            address = cloud.addresses.find(instance.address)
            if address is not None:
                yield (
                    instance.address,
                    DatabaseUser(address, str(instance.master_username), str(instance._master_user_password)),
                )
