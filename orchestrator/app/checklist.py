"""The checklists on a stack: what they judge is gathered here, and told as events."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator import preflight
from orchestrator.app.operation import Operation
from orchestrator.app.understanding import known
from orchestrator.aws.quotas import Quotas
from orchestrator.engine.check import Severity
from orchestrator.errors import Invalid, OrchestratorError, Problem, Refused
from orchestrator.events import Emit, FindingReported
from orchestrator.preflight import Checklist, Evidence, Remark, RunningStack, Status
from orchestrator.preflight.items.quotas import beyond
from orchestrator.stack.blueprint.changes import every_change, is_plan, state_before
from orchestrator.stack.blueprint.places import Places

FEW = 3
"""Tenants of which the same is said one by one."""
DEPLOYING = (Checklist.DEPLOY, Checklist.AFTER)
DESTROYING = (Checklist.DESTROY,)


def document(path: Path) -> Mapping[str, Any] | None:
    """Terraform's JSON in a file; None: it is a plan file, which only Terraform can read. Raises `Invalid`."""
    try:
        raw = path.read_bytes()
        found = json.loads(raw) if raw.lstrip()[:1] == b"{" else None
    except (OSError, ValueError, RecursionError) as error:
        fix = "give a plan file, or what `terraform show -json` prints"
        raise Invalid(Problem("terraform-json-unreadable", str(error), str(path), fix)) from None
    if found is not None and not isinstance(found, Mapping):
        return None
    return found


def evidence_of(
    said: Mapping[str, Any], live: RunningStack | None = None, table: Mapping[str, Any] | None = None
) -> Evidence:
    """From `terraform show -json` of a plan or of a state. Raises `Invalid` for anything else.

    `table` is `[contract]` of orchestrate.toml: with the state it names tenants where no output does.
    """
    if is_plan(said):
        return preflight.from_plan(said, known(state_before(said), table or {}), live)
    return preflight.from_state(said, known(said, table or {}), live)


def with_quotas(evidence: Evidence, ask: Callable[[], Quotas]) -> Evidence:
    """With the account's own quotas, where the stack exceeds AWS's default: otherwise nobody is asked."""
    wanted = beyond(evidence)
    if not wanted:
        return evidence
    quotas = ask()
    told = {one.code: quotas.value(one.service, one.code) for one in sorted(wanted, key=lambda one: one.code)}
    return replace(evidence, quotas={code: value for code, value in told.items() if value is not None})


def occasions(plan: Mapping[str, Any]) -> tuple[Checklist, ...]:
    """Which lists a plan asks for: one that leaves nothing is a destroy."""
    changes = [one for one in every_change(plan) if not one.is_data]
    destroys = bool(changes) and all(one.actions == ("delete",) for one in changes)
    return DESTROYING if destroys else DEPLOYING


def look(operation: Operation) -> RunningStack:
    """Verdicts of the steps, snapshots, embedding providers; what can't be seen is left out."""
    try:
        newest = operation.newest_snapshot()
    except OrchestratorError:
        newest = None
    try:
        embeddings = operation.embedding_providers()
    except OrchestratorError:
        embeddings = {}
    return RunningStack(
        verdicts=operation.survey(),
        embeddings=embeddings,
        newest_snapshot=newest,
        now=operation.clock.now(),
    )


def examine(
    evidence: Evidence, directory: Path, data: Path, occasions: Collection[Checklist] = DEPLOYING
) -> tuple[Remark, ...]:
    """Every remark, with its place in the directory's files. `data` is Terraform's own folder (TF_DATA_DIR)."""
    return preflight.examine(evidence, occasions, Places(directory, data))


def tell(remarks: Collection[Remark], emit: Emit, *, everything: bool) -> None:
    """As events; without `everything` only what somebody has to do something about."""
    for one in remarks:
        urgent = one.severity in (Severity.BLOCKER, Severity.WARNING)
        if everything or urgent:
            emit(_event(one))


def condensed(remarks: Collection[Remark]) -> Iterator[Remark]:
    """For people: what is said of more than three tenants is said once, of the first, with the others' names."""
    groups: dict[object, list[Remark]] = {}
    for number, one in enumerate(remarks):
        groups.setdefault((one.item, one.code, one.status, one.severity) if one.subject else number, []).append(one)
    for same in groups.values():
        if len(same) <= FEW:
            yield from same
            continue
        names = ", ".join(one.subject for one in same[:FEW])
        why = "; ".join(filter(None, (same[0].why, f"shown for {same[0].subject}; --json lists each one")))
        yield replace(same[0], subject=f"{names} and {len(same) - FEW} more", why=why)


def refusal(remarks: Collection[Remark]) -> Refused | None:
    """What must not be applied; None when nothing speaks against it."""
    blockers = [one for one in remarks if one.severity is Severity.BLOCKER]
    if not blockers:
        return None
    said = ", ".join(dict.fromkeys(one.code for one in blockers))
    fix = "correct what is shown above; to apply anyway: --no-preflight"
    return Refused(Problem("preflight-blocked", f"{len(blockers)} checklist items block it ({said})", "", fix))


def not_known(remarks: Collection[Remark]) -> list[str]:
    """The points that wait for the apply."""
    return sorted({one.item for one in remarks if one.status is Status.UNKNOWN})


def _event(one: Remark) -> FindingReported:
    lines = {item.id: item.lines for item in preflight.discover()}
    return FindingReported(
        step="preflight",
        subject=one.subject,
        detail=one.says,
        code=one.code,
        fix=one.fix,
        severity=one.severity.value if one.severity else "",
        check=one.item,
        cause=one.why,
        guide="; ".join(lines.get(one.item, ())),
        status=one.status.value,
        address=one.address,
        place=one.place,
        current=one.current,
        wanted=one.wanted,
        hcl=one.hcl,
    )


def summary(remarks: Collection[Remark]) -> Iterator[str]:
    """For people: how many points passed, which wait, which only a person can tell."""
    by_item: dict[str, set[Status]] = {}
    for one in remarks:
        by_item.setdefault(one.item, set()).add(one.status)
    good = [name for name, seen in by_item.items() if seen == {Status.PASSED}]
    yield f"{len(good)} of {len(by_item)} items passed"
    waiting = not_known(remarks)
    if waiting:
        yield f"not known until applied: {', '.join(waiting)}"
    left_out: dict[tuple[str, str], list[str]] = {}
    for one in remarks:
        if one.status is Status.NOT_JUDGED:
            left_out.setdefault((one.subject, one.says), []).append(one.item)
    for (subject, says), points in left_out.items():
        yield f"{subject}: {says}: {', '.join(sorted(points))}"
