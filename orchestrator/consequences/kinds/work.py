"""What is left to do after Terraform, and about how long it takes: `orchestrate apply` does it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.errors import counted

DATABASE = 1
"""Seconds a database takes (55 to 142 ms are measured on a quiet server), rounded up."""
RECORDS = 60
"""Seconds until changed records are at every name server."""
TOKEN = 60
"""Seconds until Redis knows its token."""
MIGRATIONS = 600
"""Seconds of the first migrations of an empty database, which all tenants make at the same time."""
ROLLOUT = 240
"""Seconds of a rollout without migrations: boot, then health checks a minute apart."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Nothing for a stack that goes, or of which nothing is left to do."""
    services = sum("create" in one.actions for one in scene.of("aws_ecs_service"))
    tenants = len(scene.staying or scene.tenancy.tenants) or services
    works = list(_works(scene, tenants))
    if works:
        seconds = sum(second for _, second in works)
        lasting = counted(-(-seconds // 60), "minute")
        yield Consequence(
            code="work-afterwards",
            effect=Effect.WORK,
            name="work:afterwards",
            says=f"after Terraform: {', '.join(what for what, _ in works)}; about {lasting}",
            why="what Terraform can't do",
            then="orchestrate apply does it and waits; after a plain terraform apply: orchestrate run",
            seconds=seconds,
        )


def _works(scene: PlanReading, tenants: int) -> Iterable[tuple[str, int]]:
    kept = [one for name, one in scene.tenancy.tenants.items() if name in scene.staying and one.looked_after]
    new_server = any("create" in one.actions for one in scene.of("aws_db_instance", "aws_rds_cluster"))
    services = [one for one in scene.of("aws_ecs_service") if "create" in one.actions or _rolls(one.after, one.before)]
    born = sum(one.made for one in scene.of("aws_ecs_service"))
    if new_server or born:
        databases = sum(bool(one.database) for one in kept) if kept and new_server else tenants
        if databases:
            yield counted(databases if new_server else born, "database"), DATABASE * databases
    if any("create" in one.actions for one in scene.of("aws_elasticache_replication_group")):
        yield "Redis's token", TOKEN
    renamed = sum(one.updated and one.differs("condition") for one in scene.of("aws_lb_listener_rule"))
    records = sum(bool(one.dns) for one in kept) if kept else tenants
    if any("create" in one.actions for one in scene.of("aws_lb")):
        if records:
            yield counted(records, "DNS record"), RECORDS
    elif renamed or born:
        yield counted(renamed + born, "DNS record"), RECORDS
    if services or new_server:
        migrating = new_server or bool(born)
        yield f"waiting for {counted(len(services) or tenants, 'service')}", MIGRATIONS if migrating else ROLLOUT


def _rolls(after: object, before: object) -> bool:
    if not isinstance(after, dict) or not isinstance(before, dict) or not after:
        return False
    return bool(after.get("task_definition") != before.get("task_definition"))


KIND = Kind("Work after Terraform", judge)
