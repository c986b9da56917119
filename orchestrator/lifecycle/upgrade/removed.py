"""`vespa-removed`: the contract names no Vespa of the tenant's any more.

Whoever maintains the stack removes it (a stack of ours: Terraform); this waits. Nothing is deleted from here, and
whether the instance and its volume are gone from AWS is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.engine.step import Done, Step, Subject, Verdict, Verdicts, Wait, nothing_to_apply
from orchestrator.lifecycle.upgrade.path import TenantVersion
from orchestrator.stack.indexes import VESPA


class RemovalContext(Protocol):
    """What the step needs."""

    @property
    def look(self) -> Callable[[], Mapping[Subject, TenantVersion]]:
        """Reads the contract, and the newest task definitions of its tenants, anew."""
        ...


@dataclass(frozen=True, slots=True)
class RemovalFacts:
    """By tenant the kinds of index that the contract names."""

    indexes: Mapping[Subject, frozenset[str]]


def observe(context: RemovalContext) -> RemovalFacts:
    """One look at the contract."""
    return RemovalFacts({tenant: it.indexes for tenant, it in context.look().items()})


def decide(facts: RemovalFacts) -> Verdicts:
    """Per tenant."""
    return {tenant: _verdict(tenant, kinds) for tenant, kinds in facts.indexes.items()}


def _verdict(tenant: Subject, kinds: frozenset[str]) -> Verdict:
    if VESPA not in kinds:
        return Done("the contract names no Vespa any more")
    fix = f"{'; '.join(lines(tenant))}; then run the same command again"
    return Wait("waiting until its Vespa is removed", "vespa-not-removed", fix)


def lines(tenant: Subject) -> tuple[str, ...]:
    """What to change, in our own terraform/ and in another's. Pure."""
    ours = (
        f'in terraform/: leave out index = "both" of {tenant}, then orchestrate apply (it destroys the instance and '
        "the volume of its Vespa)"
    )
    theirs = (
        f"in a stack of another make: remove the instance and the volume of its Vespa, and vespa.{tenant} from the "
        "contract; if the instance was the `runner`, name another one there first"
    )
    return ours, theirs


STEP: Step[RemovalContext, RemovalFacts] = Step(
    id="vespa-removed",
    title="the contract names no Vespa of the tenant",
    observe=observe,
    decide=decide,
    apply=nothing_to_apply,
    timeout=86400,
    poll=15,
)
