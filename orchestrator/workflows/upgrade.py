"""Tenants from one version of Onyx to another, one after the other, station by station."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from orchestrator.errors import Invalid, OrchestratorError, Outcome, Problem, Refused
from orchestrator.events import Emit, FindingReported
from orchestrator.lifecycle.upgrade import path
from orchestrator.lifecycle.upgrade.path import EFFECTS, LATEST, THIRD, KeptBackup, Station, TenantVersion, Upgrade
from orchestrator.workflows.backup import safekeeping_of, take
from orchestrator.workflows.caller import Caller, StackRef, StepOptions, ignore
from orchestrator.workflows.execution import Execution, perform
from orchestrator.workflows.run import bring_to_life

if TYPE_CHECKING:
    from orchestrator.app import Operation
    from orchestrator.app.backups import Backups
    from orchestrator.app.upgrading import Upgrading
    from orchestrator.engine.graph import AnyStep
    from orchestrator.stack.contract import Stack

Decide = Callable[[TenantVersion, Upgrade, KeptBackup | None, datetime], Station | Problem]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeOptions(StepOptions):
    """Which version is wanted. With `tenants`, only theirs; without, every tenant of the stack, one after the other.

    At most one of `planned`, `finish` and `back`.
    """

    to: str = ""
    """Empty: the newest that is known here."""
    third: str = ""
    """The 3.x that copies the documents, where the way leads through it; empty: one that is known to."""
    planned: bool = False
    """Show the way; change nothing."""
    finish: bool = False
    """Give up Vespa, which 4.x doesn't use."""
    back: bool = False
    """Find the backup that leads back, verify it, and show the way; change nothing."""


def upgrade(
    stack: StackRef, options: UpgradeOptions | None = None, *, emit: Emit = ignore, caller: Caller | None = None
) -> Outcome:
    """Bring tenants to another version; what they have come to is seen, so the same call goes on after any end."""
    chosen = options or UpgradeOptions()

    def work(execution: Execution) -> Outcome:
        anyone = Upgrade("", chosen.to or LATEST, chosen.third or THIRD)
        if problems := (*path.wrong_versions(anyone), *_several(chosen)):
            raise Invalid(*problems)
        go = _of(chosen)
        found = execution.contract()
        for tenant in chosen.tenants or sorted(found.tenants):
            outcome = go(execution, replace(anyone, tenant=tenant))
            if outcome is not Outcome.SUCCEEDED:
                return outcome
        return Outcome.SUCCEEDED

    looks = chosen.planned or chosen.back
    return perform("upgrade", stack, work, emit=emit, caller=caller, steps=chosen, recorded=not looks)


def _several(chosen: UpgradeOptions) -> Iterator[Problem]:
    named = {"--plan": chosen.planned, "--finish": chosen.finish, "--back": chosen.back}
    given = [name for name, is_given in named.items() if is_given]
    if len(given) > 1:
        yield Problem("upgrade-several-ways", f"{' and '.join(given)} exclude each other", given[0], "give one of them")


def _of(chosen: UpgradeOptions) -> Callable[[Execution, Upgrade], Outcome]:
    if chosen.planned:
        return _show
    if chosen.back:
        return _show_way_back
    return partial(_bring_up, path.next_of_finish if chosen.finish else path.next_station)


def _bring_up(decide: Decide, execution: Execution, wanted: Upgrade) -> Outcome:
    """Station by station, as long as each comes true."""
    before: tuple[Station, TenantVersion] | None = None
    while True:
        it, station = _seen(execution, wanted, decide)
        if isinstance(station, Problem):
            raise Refused(station)
        _say(execution, wanted.tenant, _word(station, decide))
        if station is Station.ARRIVED:
            return Outcome.SUCCEEDED
        if before == (station, it):
            fix = "`orchestrate doctor` says what is wrong; then run the same command again"
            message = f"it is where it was: {station.value}"
            raise OrchestratorError(Problem("upgrade-stands-still", message, wanted.tenant, fix))
        before = station, it
        outcome = _go(execution, wanted, station, it)
        if outcome is not Outcome.SUCCEEDED:
            return outcome
        wanted = replace(wanted, proven=wanted.proven or station is Station.PROOF)


def _word(station: Station, decide: Decide) -> str:
    if station is Station.ARRIVED and decide is path.next_of_finish:
        return "the contract names no Vespa any more: the upgrade is finished"
    return f"{station.value}{_effect(station)}"


def _go(execution: Execution, wanted: Upgrade, station: Station, it: TenantVersion) -> Outcome:
    """One station. While somebody else changes the stack's lines, the stack is not locked."""
    from orchestrator import app
    from orchestrator.lifecycle.upgrade import changed, copied, proven, removed
    from orchestrator.steps import services

    only = [wanted.tenant]
    if station is Station.CHANGE:
        stop = path.change_to(it, wanted)
        after = stop == it.running[wanted.tenant]
        _say(
            execution,
            wanted.tenant,
            *(changed.lines_after(wanted.tenant) if after else changed.lines(wanted.tenant, stop)),
        )
        watching = _watching(wanted.tenant, execution.contract, changed.STEP, version=stop)
        return bring_to_life(execution, watching, only)
    if station is Station.REMOVE:
        _say(execution, wanted.tenant, *removed.lines(wanted.tenant))
        return bring_to_life(execution, _watching(wanted.tenant, execution.contract, removed.STEP), only)
    with execution.exclusive():
        if station is Station.BACKUP:
            keeping = safekeeping_of(execution, execution.contract())
            return take(execution, keeping, keeping.begin(purpose="keep", quiet=False))
        if station is Station.ROLLOUT:
            return bring_to_life(execution, app.Migrating, only)
        steps: dict[Station, AnyStep] = {
            Station.SETTLE: replace(services.STEP, needs=()),
            Station.COPY: copied.STEP,
            Station.PROOF: proven.STEP,
        }
        return bring_to_life(execution, _watching(wanted.tenant, execution.contract, steps[station]), only)


def _watching(
    tenant: str, contract: Callable[[], Stack], *steps: AnyStep, version: str = ""
) -> Callable[..., Operation]:
    """An operation on this tenant that makes these steps."""
    from orchestrator import app

    return partial(app.Upgrading, tenant=tenant, contract=contract, steps=steps, version=version)


def _seen(execution: Execution, wanted: Upgrade, decide: Decide) -> tuple[TenantVersion, Station | Problem]:
    """What the tenant has come to, and what is next for it; a backup that this rests on is good now."""
    from orchestrator.app.upgrading import complete_backups

    operation, keeping = _at_hand(execution, wanted)
    it, newest = operation.seen(), next(iter(complete_backups(keeping)), None)
    station = decide(it, wanted, newest, execution.clock.now())
    if newest and path.relies_on_backup(station) and keeping.defects(keeping.vault.get(newest.id)):
        station = decide(it, wanted, None, execution.clock.now())
    return it, station


def _at_hand(execution: Execution, wanted: Upgrade) -> tuple[Upgrading, Backups]:
    from orchestrator.app.backups import Backups
    from orchestrator.app.upgrading import Upgrading

    stack = execution.contract()
    operation = execution.undertake(partial(Upgrading, tenant=wanted.tenant, contract=execution.contract), stack)
    operation.verify()
    who = execution.caller.who
    return operation, Backups(operation, execution.settings, execution.clock, execution.redact.learn, who=who)


def _say(execution: Execution, tenant: str, *texts: str) -> None:
    for text in texts:
        execution.emit(FindingReported(step="upgrade", subject=tenant, detail=text, code="upgrade-station"))


def _effect(station: Station) -> str:
    return f" ({EFFECTS[station]})" if EFFECTS[station] else ""


def _show(execution: Execution, wanted: Upgrade) -> Outcome:
    """Where the tenant is, and the way from there."""
    it, station = _seen(execution, wanted, path.next_station)
    if isinstance(station, Problem):
        raise Refused(station)
    _say(execution, wanted.tenant, f"it runs {it.running[wanted.tenant]}; next: {station.value}{_effect(station)}")
    _say(execution, wanted.tenant, *_way(it, wanted))
    return Outcome.SUCCEEDED


def _way(it: TenantVersion, wanted: Upgrade) -> Iterator[str]:
    """Every stop, with its stations and the lines that are changed before it."""
    from orchestrator.lifecycle.upgrade.changed import lines

    running = it.running[wanted.tenant]
    for stop in path.stops(running, wanted):
        leaving = (Station.COPY, Station.PROOF) if path.leaves_vespa(running, stop) else ()
        stations = (*leaving, Station.BACKUP, Station.CHANGE, Station.ROLLOUT)
        yield f"{running} → {stop}: {'; '.join(f'{one.value}{_effect(one)}' for one in stations)}"
        yield from lines(wanted.tenant, stop)
        running = stop


def _show_way_back(execution: Execution, wanted: Upgrade) -> Outcome:
    """The backup that leads back, verified, and what is to be done with it."""
    from orchestrator.app.upgrading import complete_backups

    operation, keeping = _at_hand(execution, wanted)
    it = operation.version()
    found = path.way_back(it, complete_backups(keeping), wanted.tenant)
    if isinstance(found, Problem):
        raise Refused(found)
    if defects := keeping.defects(keeping.vault.get(found.id)):
        raise Refused(*defects)
    _say(execution, wanted.tenant, *path.lines_back(it, found, wanted.tenant))
    return Outcome.SUCCEEDED
