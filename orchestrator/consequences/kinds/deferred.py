"""Changes that a plan puts off, because Terraform can't know them before others are made: the next plan has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.consequences.model import Consequence, Effect, Kind, PlanReading

_REASONS: Mapping[str, str] = {
    "instance_count_unknown": "how many there will be is not known yet",
    "resource_config_unknown": "its values are not known yet",
    "provider_config_unknown": "its provider's settings are not known yet",
    "absent_prereq": "what it needs does not exist yet",
    "deferred_prereq": "what it needs is put off too",
}
"""Terraform's word → why (internal/command/jsonplan)."""


def judge(scene: PlanReading) -> Iterable[Consequence]:
    """One each: nothing is lost by waiting, but the apply that follows does not do all that the configuration says."""
    for address, reason in scene.deferred.items():
        yield Consequence(
            code="change-deferred",
            effect=Effect.WORK,
            name=f"deferred:{address or 'resource'}",
            says=f"the change of {address or 'a resource'} is put off: this apply does not make it",
            why=f"Terraform defers it: {_REASONS.get(reason, reason or 'it does not say why')}",
            then="it is part of the next plan: run `orchestrate apply` again",
            address=address,
        )


KIND = Kind("Deferred changes", judge)
