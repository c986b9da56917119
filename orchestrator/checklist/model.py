"""The words of a checklist: an item judges evidence and makes remarks.

Nothing is passed that isn't known: what a plan can't tell yet is `unknown`, what only a person can tell is `manual`.
An item without remarks has nothing to say about this stack (no Redis, no Vespa).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestrator.engine.check import Finding, Severity
from orchestrator.engine.step import STACK, Subject, Verdict
from orchestrator.stack.blueprint.blueprint import Blueprint
from orchestrator.stack.blueprint.resources import Document, Resource
from orchestrator.stack.blueprint.tenancy import Tenancy


class Status(StrEnum):
    """What is known of a line."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """Not known until applied."""
    MANUAL = "manual"
    """Only a person can tell."""
    NOT_JUDGED = "not-judged"
    """It is not about this service; the remark says why."""


class Checklist(StrEnum):
    """The guide's three lists."""

    DEPLOY = "before deploying"
    AFTER = "after apply"
    DESTROY = "before destroy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What an item found. One that failed has a severity, an explanation and a way out (`hcl` to write, or `fix`)."""

    status: Status
    code: str
    says: str
    severity: Severity | None = None
    subject: Subject = STACK
    address: str = ""
    current: str = ""
    wanted: str = ""
    why: str = ""
    hcl: str = ""
    fix: str = ""
    place: str = ""
    item: str = ""

    def __post_init__(self) -> None:
        if self.status is Status.FAILED and (self.severity is None or not self.why or not (self.hcl or self.fix)):
            raise ValueError(f"{self.code} failed without severity, explanation or fix")


@dataclass(frozen=True, slots=True)
class RunningStack:
    """What only the running stack tells.

    `verdicts` are the steps' (step → tenant or stack), `embeddings` how many embedding providers a tenant has
    configured (None: it could not be seen), `newest_snapshot` when the newest snapshot was taken (None: there is none).
    """

    verdicts: Mapping[str, Mapping[Subject, Verdict]] = field(default_factory=dict)
    embeddings: Mapping[Subject, int | None] = field(default_factory=dict)
    newest_snapshot: datetime | None = None
    now: datetime | None = None


@dataclass(frozen=True, slots=True)
class TenantService:
    """One tenant's service and the task definition it runs."""

    tenant: str
    service: Resource
    definition: Resource | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that can be judged: the stack as planned or as it is, whose everything is, and what was seen live."""

    blueprint: Blueprint
    tenancy: Tenancy
    units: tuple[TenantService, ...] = ()
    region: str = ""
    live: RunningStack | None = None
    contract: Document | None = None
    """What is known of the stack, perhaps in part: its own output, else what was inferred."""
    quotas: Mapping[str, int] = field(default_factory=dict)
    """The account's own quotas, by their code in Service Quotas, as far as they were asked for and told."""

    @property
    def known_tenants(self) -> Collection[str]:
        """Those that the contract names: orchestrate is told of them."""
        said = (self.contract or {}).get("tenants")
        return said.keys() if isinstance(said, Mapping) else ()

    @property
    def planned(self) -> bool:
        """Whether it is judged before it is applied."""
        return self.blueprint.planned


@dataclass(frozen=True, slots=True)
class Item:
    """One point of a checklist. `lines` are the guide's words, as they stand there; none: beyond the guide."""

    id: str
    title: str
    occasion: Checklist
    judge: Callable[[Evidence], Iterable[Remark]]
    lines: tuple[str, ...] = ()
    about: str = ""
    """What it guards against; empty: the docstring of its module says so."""


class NotKnown(Exception):
    """A judgement needs a value that Terraform does not know yet."""

    def __init__(self, address: str, attribute: str) -> None:
        super().__init__(f"{address}: {attribute}")
        self.address = address
        self.attribute = attribute


class NotConcerned(Exception):
    """The point is not about this service. With a reason that is said; without: it has none of what is judged."""


def passed(says: str, *, subject: Subject = STACK, address: str = "", current: str = "") -> Remark:
    """It is as it should be."""
    return Remark(status=Status.PASSED, code="passed", says=says, subject=subject, address=address, current=current)


def unknown(says: str, *, subject: Subject = STACK, address: str = "", wanted: str = "") -> Remark:
    """It can't be known yet."""
    return Remark(
        status=Status.UNKNOWN,
        code="not-known-until-applied",
        says=says,
        subject=subject,
        address=address,
        current="not known until applied",
        wanted=wanted,
    )


def not_judged(why: str, *, subject: Subject = STACK, address: str = "") -> Remark:
    """It was left out, and why: knowing more of a stack must not say less of it."""
    return Remark(
        status=Status.NOT_JUDGED, code="not-judged", says=f"not judged: {why}", subject=subject, address=address
    )


def manual(code: str, says: str, *, subject: Subject = STACK, address: str = "", fix: str = "") -> Remark:
    """Somebody has to look."""
    return Remark(status=Status.MANUAL, code=code, says=says, subject=subject, address=address, fix=fix)


def from_finding(
    found: Finding,
    *,
    address: str,
    current: str,
    wanted: str,
    hcl: str = "",
    severity: Severity | None = None,
    subject: Subject | None = None,
) -> Remark:
    """A check's finding in the words of a checklist: the same judgement, with what Terraform knows of the place."""
    return Remark(
        status=Status.FAILED,
        code=found.code,
        severity=severity or found.severity,
        says=found.symptom,
        why=found.cause,
        fix="" if hcl else found.fix,
        subject=found.subject if subject is None else subject,
        address=address,
        current=current,
        wanted=wanted,
        hcl=hcl,
    )
