"""Who is without a database while a server is away, instance or cluster. Pure."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.consequences.model import PlanReading
from orchestrator.stack.blueprint.tenancy import ResourceOwner

SERVERS = ("aws_db_instance", "aws_rds_cluster")
RESTARTING = 180
"""Seconds that a change of class or version interrupts a server without a standby, about."""


def held_by(names: Collection[str], server: str, scene: PlanReading) -> list[ResourceOwner]:
    """The tenants that use this server: all of them if it is the only one, else those that name it.

    One that has no database (a service of web alone) uses all or none: it is down with the others.
    """
    only = len(list(scene.there(*SERVERS))) <= 1

    def here(one: ResourceOwner) -> bool:
        return bool({*names} & one.servers) if one.servers else scene.tenancy.server in ("", server)

    return [one for one in scene.tenancy.tenants.values() if only or here(one)]
