"""The database server's storage is full: RDS takes it out of service until there is more.

It takes no connection then; what is open is cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.rds.models import rds_backends

from orchestrator.local.core.cloud import ACCOUNT
from orchestrator.local.faults import Fault
from orchestrator.local.rds.moto import FULL

if TYPE_CHECKING:
    from orchestrator.local.core.cloud import Cloud


def _fill(cloud: Cloud, _tenant: str) -> None:
    for backend in list(rds_backends[ACCOUNT].values()):
        for instance in list(backend.databases.values()):
            instance.status = FULL
            if cloud.databases:
                cloud.databases.stop(instance.db_instance_identifier)


def _make_room(cloud: Cloud, _tenant: str) -> None:
    for backend in list(rds_backends[ACCOUNT].values()):
        for instance in list(backend.databases.values()):
            if instance.status == FULL:
                if cloud.databases:
                    address = cloud.databases.start(instance.db_instance_identifier)
                    cloud.addresses.publish(instance.address, address)
                instance.status = "available"


FAULT = Fault(
    "database-storage-full",
    "the database server's storage is full",
    "Database Issues",
    per_tenant=False,
    inject=_fill,
    clear=_make_room,
)
