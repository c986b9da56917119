"""All consequences together: which have to be named, each said once, the worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from orchestrator.consequences.model import Consequence, Effect
from orchestrator.engine.check import Severity
from orchestrator.engine.step import STACK
from orchestrator.stack.blueprint.tenancy import Tenancy

_RANK = {effect: rank for rank, effect in enumerate(Effect)}
_SEVERITY = {Effect.DISTURBANCE: Severity.WARNING, Effect.OUTAGE: Severity.WARNING, Effect.LOSS: Severity.BLOCKER}


def settled(found: Iterable[Consequence], tenancy: Tenancy, *, over: bool = False) -> tuple[Consequence, ...]:
    """A loss is a blocker; an outage is one when no site of the stack answers, or when a site is gone for good.

    `over`: no tenant stays, so all outages are one, and what would only disturb disturbs nobody.
    """
    every = list(dict.fromkeys(found))
    if over:
        every = [*(one for one in every if one.effect in (Effect.LOSS, Effect.WORK)), *_end(every, tenancy)]
    down = {one.subject for one in every if one.effect is Effect.OUTAGE}
    total = STACK in down or (bool(down) and down >= tenancy.tenants.keys())
    return tuple(sorted((_judged(one, total=total) for one in every), key=_urgency))


def _end(every: list[Consequence], tenancy: Tenancy) -> Iterable[Consequence]:
    ending = [one for one in every if one.effect is Effect.OUTAGE]
    if ending:
        yield Consequence(
            code="stack-destroyed",
            effect=Effect.OUTAGE,
            name=f"stack:{tenancy.stack or 'all'}",
            says=f"the whole stack is deleted: none of its {len(tenancy.tenants)} sites answers any longer",
            why=f"Terraform destroys {', '.join(dict.fromkeys(one.name for one in ending))}",
            then="`orchestrate apply` recreates it, with a new load balancer name and nothing in it",
            address=ending[0].address,
        )


def _judged(one: Consequence, *, total: bool) -> Consequence:
    severity = _SEVERITY.get(one.effect, Severity.INFO)
    if one.effect is Effect.OUTAGE and (total or one.seconds is None):
        severity = Severity.BLOCKER
    return replace(one, severity=severity)


def _urgency(one: Consequence) -> tuple[int, int, str, str]:
    gated = one.severity is not Severity.BLOCKER
    return int(gated), _RANK[one.effect], one.subject, one.name
