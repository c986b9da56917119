"""The certificate: another one has to be issued before browsers accept the sites."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading
from orchestrator.stack.blueprint.changes import ResourceChange


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """One that is there before the old one goes, for the same names, needs nobody."""
    for change in scene.of("aws_acm_certificate"):
        names = _names(change.after) - _names(change.before)
        if change.replaced and change.new_first and names:
            yield _other_names(change, sorted(names))
        elif change.ends and not change.new_first and _used(change, scene):
            yield _taken_away(change)


def _names(values: object) -> set[str]:
    if not isinstance(values, dict):
        return set()
    more = values.get("subject_alternative_names")
    said = [values.get("domain_name"), *(more if isinstance(more, list) else ())]
    return {one for one in said if isinstance(one, str)}


def _used(change: ResourceChange, scene: PlanReading) -> bool:
    """A listener that stays shows it."""
    arn = change.was("arn")
    return any(
        one.text("certificate_arn") == arn and not scene.ends(one.text("arn")) for one in scene.there("aws_lb_listener")
    )


def _other_names(change: ResourceChange, names: list[str]) -> Consequence:
    return Consequence(
        code="certificate-replaced",
        effect=Effect.WORK,
        name=f"certificate:{change.was('domain_name') or change.name}",
        says=f"a certificate for other names is requested ({', '.join(names)} is new); the old one serves until then",
        why=f"Terraform replaces it: {change.why}",
        then="ACM waits for the validation records of the new names: `orchestrate certificate` publishes them",
        address=change.address,
    )


def _taken_away(change: ResourceChange) -> Consequence:
    return Consequence(
        code="certificate-taken-away",
        effect=Effect.DISTURBANCE,
        name=f"certificate:{change.was('domain_name') or change.name}",
        says="a listener still uses the certificate that is to be deleted: AWS refuses, and the apply stops halfway",
        why=f"Terraform {change.verb} it first: {change.why}",
        then="lifecycle { create_before_destroy = true } in aws_acm_certificate",
        address=change.address,
    )


KIND = Kind("Certificates", judge)
