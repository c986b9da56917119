"""Instances of a database cluster: without a writer no site works, though the data stay in the cluster's storage."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orchestrator.consequences.database_users import RESTARTING, held_by
from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.engine.step import STACK, Subject
from orchestrator.stack.blueprint.changes import ResourceChange

CLUSTER, MEMBER = "aws_rds_cluster", "aws_rds_cluster_instance"
CREATING = 600
"""Seconds until a new instance of a cluster is available, about."""
FAILOVER = 60
"""Seconds of a failover to another instance: typically less than 60 (Aurora user guide, "High availability")."""
_RESTARTS = ("instance_class", "engine_version", "db_parameter_group_name", "availability_zone")


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Cluster by cluster; of one that goes as a whole the cluster's own consequence tells."""
    going = {change.was("cluster_identifier") for change in scene.of(CLUSTER) if change.ends}
    clusters = dict.fromkeys(change.was("cluster_identifier") for change in scene.of(MEMBER))
    for cluster in clusters:
        if cluster and cluster not in going:
            yield from _of_cluster(cluster, scene)


def _of_cluster(cluster: str, scene: PlanReading) -> Iterable[Consequence]:
    changes = [one for one in scene.of(MEMBER) if cluster in (one.was("cluster_identifier"), _joins(one))]
    ending = [one for one in changes if one.ends]
    members = [one for one in scene.there(MEMBER) if one.text("cluster_identifier") == cluster]
    gone = {one.address for one in ending}
    staying = [one for one in members if one.address not in gone]
    writes = [one for one in ending if one.before.get("writer") is True or len(members) == 1]
    if ending and not staying:
        yield from _without_any(cluster, ending, changes, scene)
    elif writes:
        yield _fails_over(cluster, writes[0], f"Terraform {writes[0].verb} {_name(writes[0])}: {writes[0].why}")
    for change in (one for one in changes if one.updated):
        yield from _restarted(cluster, change, others=len(members) > 1)


def _joins(change: ResourceChange) -> str:
    said = change.after.get("cluster_identifier")
    return said if isinstance(said, str) else ""


def _name(change: ResourceChange) -> str:
    return change.was("identifier") or change.name


def _without_any(
    cluster: str, ending: Sequence[ResourceChange], changes: Sequence[ResourceChange], scene: PlanReading
) -> Iterable[Consequence]:
    """Every instance goes. Another one may be there before: then it takes over."""
    coming = [one for one in changes if one.made or one.replaced]
    first = next((one for one in changes if one.made or one.new_first), None)
    why = f"Terraform {ending[0].verb} {', '.join(map(_name, ending))}: {ending[0].why}"
    if first is not None and first.new_first:
        yield _fails_over(cluster, ending[0], why)
        return
    then = (
        "the data stay in the cluster's storage, and tasks connect again once the new instance is available"
        if coming
        else "the data stay in the cluster's storage: add an aws_rds_cluster_instance to reach them again"
    )
    lasting = f" for about {CREATING // 60} minutes" if coming else ""
    for tenant in _tenants(cluster, scene):
        who = "no site works" if tenant == STACK else f"the site of {tenant} doesn't work"
        yield Consequence(
            code="database-cluster-without-instance",
            effect=Effect.OUTAGE,
            name=f"database-cluster:{cluster}",
            says=f"{who}{lasting}: the cluster {cluster} has no instance left",
            why=why,
            then=then,
            address=ending[0].address,
            subject=tenant,
            seconds=CREATING if coming else None,
        )


def _tenants(cluster: str, scene: PlanReading) -> Sequence[Subject]:
    known = next((one for one in scene.there(CLUSTER) if one.text("cluster_identifier") == cluster), None)
    hosts = {known.text("endpoint"), known.text("reader_endpoint")} if known else set()
    held = held_by({cluster, *hosts}, cluster, scene)
    everybody = not scene.tenancy.tenants or len(held) == len(scene.tenancy.tenants)
    return [STACK] if everybody else [one.name for one in held]


def _fails_over(cluster: str, change: ResourceChange, why: str) -> Consequence:
    return Consequence(
        code="database-cluster-fails-over",
        effect=Effect.DISTURBANCE,
        name=f"database-cluster:{cluster}",
        says=f"the writer of the cluster {cluster} goes, and another instance takes over: errors for about a minute",
        why=why,
        then="tasks connect again by themselves",
        address=change.address,
        seconds=FAILOVER,
    )


def _restarted(cluster: str, change: ResourceChange, *, others: bool) -> Iterable[Consequence]:
    """Only the writer's restart is felt by sites."""
    differing = [name for name in _RESTARTS if change.differs(name) and change.before.get(name) is not None]
    if not differing or (others and change.before.get("writer") is not True):
        return
    what = ", ".join(f"{name} {change.was(name)} → {change.after.get(name)}" for name in differing)
    now, seconds = bool(change.after.get("apply_immediately")), FAILOVER if others else RESTARTING
    felt = "a minute" if others else f"{RESTARTING // 60} minutes"
    yield Consequence(
        code="database-server-restarts",
        effect=Effect.DISTURBANCE if now else Effect.WORK,
        name=f"database-cluster:{cluster}",
        says=f"the writer of the cluster {cluster} restarts: sites answer with errors for about {felt}"
        if now
        else f"the writer of the cluster {cluster} restarts in its next maintenance window",
        why=f"changed in place: {what}",
        then="tasks connect again by themselves",
        address=change.address,
        seconds=seconds if now else 0,
    )


KIND = Kind("Instances of database clusters", judge)
