"""Log groups: what happened before can no longer be read."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """Each by itself; it stops nothing."""
    for change in scene.of("aws_cloudwatch_log_group"):
        if change.ends and not change.before.get("skip_destroy"):
            name = change.was("name") or change.name
            yield Consequence(
                code="logs-lost",
                effect=Effect.WORK,
                name=f"logs:{name}",
                says=f"the logs in {name} are deleted",
                why=f"Terraform {change.verb} the group: {change.why}",
                then="export what is needed of them first",
                address=change.address,
                subject=scene.owner(change),
            )


KIND = Kind("Logs", judge)
