"""The bucket: uploaded documents, every version of them."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """A bucket that isn't empty stops the destroy, unless it may be emptied."""
    for change in scene.of("aws_s3_bucket"):
        if change.ends:
            name = change.was("bucket") or change.name
            forced = bool(change.before.get("force_destroy"))
            yield Consequence(
                code="bucket-lost",
                effect=Effect.LOSS,
                name=f"bucket:{name}",
                says=f"the bucket {name} is deleted with every document uploaded to it, all versions included",
                why=f"Terraform {change.verb} it: {change.why}",
                then="force_destroy empties it first"
                if forced
                else "without force_destroy AWS refuses while anything, an old version too, is in it",
                address=change.address,
                subject=scene.owner(change),
            )


KIND = Kind("Buckets", judge)
