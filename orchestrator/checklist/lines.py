"""What items have in common: each tenant is judged by itself, and an unknown value makes its line unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from orchestrator.checklist.model import (
    Evidence,
    NotConcerned,
    NotKnown,
    Remark,
    TenantService,
    not_judged,
    passed,
    unknown,
)

ByUnit = Callable[[TenantService, Evidence], Iterable[Remark]]


def each_tenant(judge: ByUnit, good: str) -> Callable[[Evidence], Iterator[Remark]]:
    """An item's judgement out of a tenant's: without a remark it passed, `good` says as what."""

    def judged(evidence: Evidence) -> Iterator[Remark]:
        for unit in evidence.units:
            where = (unit.tenant, unit.service.address)
            yield from of_one(partial(judge, unit, evidence), good, *where, planned=evidence.planned)

    return judged


def of_one(
    judge: Callable[[], Iterable[Remark]], good: str, subject: str, address: str, *, planned: bool
) -> Iterator[Remark]:
    """The remarks; `passed` without any; `unknown` from where on a value isn't known yet; of the unconcerned why."""
    silent = True
    try:
        for one in judge():
            silent = False
            yield one
    except NotKnown as missing:
        seen = "is not in the state: orchestrate doctor checks what is running"
        lacks = "is not known until applied" if planned else seen
        yield unknown(f"{missing.attribute} {lacks}", subject=subject, address=missing.address)
    except NotConcerned as reason:
        if str(reason):
            yield not_judged(str(reason), subject=subject, address=address)
    else:
        if silent:
            yield passed(good, subject=subject, address=address)
