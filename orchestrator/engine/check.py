"""The vocabulary of `doctor`: a check gathers and judges (purely); findings are ordered, causes before consequences.

Nothing here changes anything. What a finding explains is said by its check, as codes of other findings; the order is
computed from that, so a new check costs no change here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Generic, TypeVar

from orchestrator.engine.step import STACK, Subject, tenant_of
from orchestrator.errors import OrchestratorError, Problem, Transient

C = TypeVar("C")
F = TypeVar("F")

AT_ONCE = 16
LOOKS = 3
"""How often a gather that AWS throttles is tried, not counting botocore's own retries."""
PASSING = frozenset({"throttled", "aws-answer-foreign", "aws-unavailable", "aws-unreachable"})
"""Problems of a call that the next look may not meet."""
UNSEEN = "could-not-look"
UNREACHED = frozenset({"runner-offline", "runner-not-registered"})
"""Problems of a look from an instance that a pause stops."""


class Severity(StrEnum):
    """A blocker keeps somebody's site from working; a warning will, one day; information needs no action now."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something is wrong. ValueError without a cause, evidence (exact values) and a fix (a command, a Terraform line).

    `explains` are the codes of findings that this one accounts for, of the same tenant (a finding about the stack: of
    every tenant). A `consequence` is accounted for by any blocker that has its subject or is the stack's. `repair` is
    the step that repairs it and may be run without asking what else it does: `doctor --fix` does so. `at_rest`:
    it is meant to be so while its subject, or the whole stack, is paused. `pauses`: it says that its subject was paused
    on purpose (the stack: every tenant with it), so what is at rest there is not reported.
    """

    code: str
    severity: Severity
    symptom: str
    cause: str
    fix: str
    evidence: tuple[str, ...]
    subject: Subject = STACK
    explains: frozenset[str] = frozenset()
    consequence: bool = False
    at_rest: bool = False
    pauses: bool = False
    contradicted: bool = False
    """Whether two services of AWS say different things of it: one of them may be late."""
    repair: str = ""
    check: str = ""
    guide: str = ""
    reason: str = ""
    """Of `could-not-look`: the code of the problem that kept a check from it."""

    @property
    def page(self) -> str:
        """Where its check is described."""
        return f"docs/reference/checks.md#{self.check}" if self.check else ""

    def __post_init__(self) -> None:
        empty = [name for name in ("code", "symptom", "cause", "fix", "evidence") if not getattr(self, name)]
        if empty:
            raise ValueError(f"finding {self.code or '?'} has no {' and no '.join(empty)}")


@dataclass(frozen=True, slots=True)
class Check(Generic[C, F]):
    """One thing that can be wrong. `gather` reads only, for all tenants in one batch; `judge` is pure."""

    id: str
    title: str
    gather: Callable[[C], F]
    judge: Callable[[F], Iterable[Finding]]
    guide_section: str = ""
    """The section of the troubleshooting guide; empty: beyond the guide."""

    def findings(self, facts: F) -> tuple[Finding, ...]:
        """What `judge` says, stamped with the check's name and section."""
        return tuple(replace(found, check=self.id, guide=self.guide_section) for found in self.judge(facts))


AnyCheck = Check[Any, Any]


@dataclass(frozen=True, slots=True)
class Case:
    """A root cause and what follows from it."""

    root: Finding
    consequences: tuple[Finding, ...] = ()

    @property
    def severity(self) -> Severity:
        """The worst of all: a warning that explains a blocker is as urgent."""
        return min((one.severity for one in (self.root, *self.consequences)), key=_RANK.__getitem__)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a look at the whole stack found, the most urgent root cause first."""

    cases: tuple[Case, ...]
    checks: int
    paused: bool = False
    """Whether the stack was paused on purpose: then what is so by that is left out."""
    blind: tuple[str, ...] = ()
    """The checks that could not look: of what they look at nothing is known."""

    @property
    def severity(self) -> Severity | None:
        """The worst; None: nothing is wrong."""
        return min((case.severity for case in self.cases), key=_RANK.__getitem__, default=None)

    @property
    def resting(self) -> bool:
        """Whether something is paused: of what is at rest there, no finding says that it isn't up."""
        return self.paused or any(one.pauses for case in self.cases for one in (case.root, *case.consequences))

    @property
    def may_be_early(self) -> bool:
        """Whether it may be of a moment ago: a pause that AWS shows in part, or answers that contradict each other."""
        found = (one for case in self.cases for one in (case.root, *case.consequences))
        return any(one.at_rest or one.contradicted for one in found)


def examine(
    checks: Sequence[AnyCheck],
    context: Any,
    *,
    subjects: Collection[Subject] | None = None,
    resting: Callable[[], bool] = lambda: False,
    missed: Callable[[], Mapping[tuple[str, Subject], Problem]] = dict,
    reconcile: Callable[[Sequence[Finding]], Iterable[Finding]] = iter,
) -> Diagnosis:
    """All checks, their gathers at the same time; `subjects` narrows it to some tenants and the stack itself.

    What is at rest is no finding where somebody paused it: a finding says so, or the stack is `resting` as a paused one
    does. `missed` is asked at the end: what a check could not read of one tenant, while it saw the others'. `reconcile`
    holds what was seen against what was inferred.
    """
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="check") as pool:
        outcomes = list(zip(checks, pool.map(lambda check: _looked(check, context), checks), strict=True))
    found = list(reconcile([one for _, outcome in outcomes if not isinstance(outcome, Problem) for one in outcome]))
    unseen = [(check, outcome) for check, outcome in outcomes if isinstance(outcome, Problem)]
    found += _missed(missed())
    wanted = [one for one in found if one.subject == STACK or subjects is None or tenant_of(one.subject) in subjects]
    paused = any(one.at_rest for one in wanted) and resting()
    lying = {STACK} if paused else {one.subject for one in wanted if one.pauses}
    kept = [one for one in (*wanted, *_unseen(unseen)) if not (one.at_rest and lying & {STACK, one.subject})]
    reasons = {one.reason for one in kept if one.code == UNSEEN}
    blind = tuple(check.id for check, problem in unseen if problem.code in reasons)
    return Diagnosis(order(kept), len(checks), paused, blind)


def _looked(check: AnyCheck, context: Any) -> tuple[Finding, ...] | Problem:
    problem = Problem("", "")
    for _ in range(LOOKS):
        try:
            return check.findings(check.gather(context))
        except Transient as error:
            problem = error.problems[0]
            if problem.code not in PASSING:
                return problem
        except OrchestratorError as error:
            return error.problems[0]
    return problem


def _unseen(outcomes: Iterable[tuple[AnyCheck, Problem]]) -> Iterable[Finding]:
    """One finding per reason, however many checks it kept from looking."""
    by_reason: dict[Problem, list[str]] = {}
    for check, problem in outcomes:
        by_reason.setdefault(problem, []).append(check.id)
    return (_could_not_look(problem, checks) for problem, checks in by_reason.items())


def _missed(problems: Mapping[tuple[str, Subject], Problem]) -> Iterable[Finding]:
    """One finding per tenant and check."""
    return [_could_not_look(problem, [check], tenant) for (check, tenant), problem in problems.items()]


def _could_not_look(problem: Problem, checks: Sequence[str], subject: Subject = STACK) -> Finding:
    return Finding(
        code=UNSEEN,
        severity=Severity.WARNING,
        subject=subject,
        symptom=f"not everything could be checked ({', '.join(checks)})",
        cause=f"{problem.message} [{problem.code}]",
        fix=problem.fix or "see the message",
        evidence=(problem.context or problem.code,),
        consequence=True,
        check=checks[0],
        reason=problem.code,
        at_rest=problem.code in UNREACHED,
    )


def order(findings: Iterable[Finding]) -> tuple[Case, ...]:
    """Roots with their consequences: the most urgent first, then those that explain most, then the stack's. Pure."""
    every = list(dict.fromkeys(findings))
    parents = {index: _parents(index, every) for index in range(len(every))}
    members: dict[int, list[Finding]] = {}
    for index, one in enumerate(every):
        root = _root_of(index, parents)
        members.setdefault(root, [])
        if root != index:
            members[root].append(one)
    return tuple(sorted((Case(every[root], _sorted(under)) for root, under in members.items()), key=_urgency))


def _parents(index: int, every: Sequence[Finding]) -> list[int]:
    """What accounts for this finding, the most telling first. Of two that explain each other the earlier one does."""
    one = every[index]
    named = [n for n, other in enumerate(every) if n != index and _explains(other, one)]
    named = [n for n in named if n < index or not _explains(one, every[n])]
    if named or not one.consequence:
        return named
    return [n for n, other in enumerate(every) if n != index and _blocks(other, one)]


def _explains(cause: Finding, effect: Finding) -> bool:
    return effect.code in cause.explains and cause.subject in (STACK, effect.subject, tenant_of(effect.subject))


def _blocks(cause: Finding, effect: Finding) -> bool:
    concerns = cause.subject in (STACK, effect.subject, tenant_of(effect.subject)) or effect.subject == STACK
    return cause.severity is Severity.BLOCKER and not cause.consequence and concerns


def _root_of(index: int, parents: dict[int, list[int]]) -> int:
    """Up by the most telling parent. A circle of three or more, which no check should make, ends at its first."""
    seen = [index]
    while parents[index]:
        index = parents[index][0]
        if index in seen:
            return min(seen[seen.index(index) :])
        seen.append(index)
    return index


def _sorted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(sorted(findings, key=lambda one: (one.consequence, _RANK[one.severity], one.subject)))


def _urgency(case: Case) -> tuple[int, bool, int, bool]:
    return _RANK[case.severity], case.root.consequence, -len(case.consequences), case.root.subject != STACK
