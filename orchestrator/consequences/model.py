"""The words: a consequence, its effect, and what a kind of consequence looks at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from orchestrator.engine.check import Severity
from orchestrator.engine.step import STACK, Subject
from orchestrator.stack.blueprint.changes import ActionInvocation, ResourceChange
from orchestrator.stack.blueprint.resources import Resource, Resources
from orchestrator.stack.blueprint.tenancy import Tenancy


class Effect(StrEnum):
    """What people notice, the worst first."""

    LOSS = "loss"
    """Data is gone."""
    OUTAGE = "outage"
    """Sites don't answer, until something new is there or for good."""
    DISTURBANCE = "disturbance"
    """Something is missing for a while; most of the site works, or it is a matter of seconds."""
    RESTART = "restart"
    """Tasks are replaced by new ones while the old ones go on."""
    WORK = "work"
    """Nobody notices; something has to be done afterwards, or is worth knowing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """One thing that a plan leads to. ValueError without a name: what is refused must be nameable.

    `name` is `kind:thing`, what `--allow-loss` takes. `says` is for people, `why` says what Terraform does and why,
    `then` what follows and what is left to do. `seconds` is how long it is felt, about (None: for good, or not known).
    `severity` is a blocker where it has to be named before it may happen.
    """

    code: str
    effect: Effect
    name: str
    says: str
    why: str
    then: str
    address: str = ""
    subject: Subject = STACK
    seconds: int | None = None
    severity: Severity = Severity.INFO

    def __post_init__(self) -> None:
        kind, colon, thing = self.name.partition(":")
        if not (kind and colon and thing):
            raise ValueError(f"{self.code} has no name of the form kind:thing")


@dataclass(frozen=True, slots=True)
class PlanReading:
    """A plan, read once: its changes by type, what is there before it, whose everything is."""

    changes: Mapping[str, Sequence[ResourceChange]]
    before: Resources
    tenancy: Tenancy
    staying: frozenset[str]
    """Tenants that the stack still has afterwards."""
    snapshots: tuple[str, ...] = ()
    ending: Mapping[str, str] = field(default_factory=dict)
    """id or ARN of everything that ends → its address."""
    invocations: Sequence[ActionInvocation] = ()
    deferred: Mapping[str, str] = field(default_factory=dict)
    """Address of each change that the plan puts off → Terraform's reason."""

    def of(self, *types: str) -> Iterator[ResourceChange]:
        """Changes of these types."""
        for kind in types:
            yield from self.changes.get(kind, ())

    def there(self, *types: str) -> Iterator[Resource]:
        """What the state has of these types."""
        yield from self.before.of(*types)

    def owner(self, change: ResourceChange) -> str:
        """Whose it is, by what it was, else by what it will be."""
        return self.tenancy.owner(change, change.before) or self.tenancy.owner(change, change.after)

    def leaves(self, tenant: str) -> bool:
        """Whether the tenant is taken out of the stack by this plan."""
        return bool(tenant) and tenant not in self.staying

    def ends(self, value: Any) -> bool:
        """Whether what has this id or ARN will be gone."""
        return isinstance(value, str) and value in self.ending


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of consequence: which resources it is about (for people), and its judgement."""

    title: str
    judge: Callable[[PlanReading], Iterable[Consequence]]
