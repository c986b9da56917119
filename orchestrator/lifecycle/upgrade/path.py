"""Which station of an upgrade a tenant is at, by what is seen of it now: nothing of it is remembered. Pure.

The vendor's way is 2.x → any 3.x with Vespa and OpenSearch → 4.x: Onyx 3 copies the documents from one index to the
other, Onyx 4 can't (its release notes; read in the source up to v4.6.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from orchestrator.errors import Problem
from orchestrator.stack.indexes import OPENSEARCH, VESPA

LATEST = "v4.6.1"
"""The newest version whose source was read for this."""
THIRD = "v3.2.1"
"""The 3.x that copies the documents, unless another is asked for."""
COPIES = 3
"""The major version that has both indexes, and copies the documents."""
FRESH = timedelta(hours=24)
"""How old the backup may be that a station begins with."""
SIZES: Mapping[str, int] = {"api": 2048, "background": 6144}
"""MiB that these containers need from Onyx 3 on: an idle api takes 1.1 GiB; background is eight workers and more."""
NEEDS: Mapping[int, frozenset[str]] = {
    2: frozenset({VESPA}),
    3: frozenset({VESPA, OPENSEARCH}),
    4: frozenset({OPENSEARCH}),
}
"""Indexes that the tasks of each major version must be told of."""


class Station(Enum):
    """What is to be done next for a tenant."""

    BACKUP = "a verified backup"
    CHANGE = "the images and the index of the next version"
    ROLLOUT = "the schema migrated by one task, then the rollout"
    SETTLE = "the rollout that has begun comes to its end"
    COPY = "Onyx copies the documents to OpenSearch"
    PROOF = "every document is found by its id in both indexes"
    REMOVE = "its Vespa, which nothing uses any more, is removed"
    ARRIVED = "it runs the wanted version"


EFFECTS: Mapping[Station, str] = {
    Station.BACKUP: "users notice nothing",
    Station.CHANGE: "users notice nothing",
    Station.ROLLOUT: "the site answers; while the schema is migrated, requests may fail",
    Station.SETTLE: "the site answers",
    Station.COPY: "users notice nothing; searches are answered by Vespa meanwhile",
    Station.PROOF: "users notice nothing",
    Station.REMOVE: "users notice nothing; from then on there is no way back to 3.x but a backup",
    Station.ARRIVED: "",
}
"""What each does to users."""


@dataclass(frozen=True, slots=True)
class KeptBackup:
    """A complete backup of the stack. `revisions`: the schema of each tenant's database in it."""

    id: str
    begun: datetime
    revisions: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    """As `restore` takes it."""


@dataclass(frozen=True, slots=True)
class RegisteredVersion:
    """The newest revision of a service's task definition. `told` are the indexes that its tasks are told of."""

    tag: str = ""
    """Of the backend's image; empty: it is another application's, or no fixed version."""
    told: frozenset[str] = frozenset()
    memory: Mapping[str, int] = field(default_factory=dict)
    """MiB that `api` and `background` may use, in its task or in a service beside it."""


@dataclass(frozen=True, slots=True)
class TenantVersion:
    """What is seen of one tenant now."""

    running: Mapping[str, str]
    """By subject each of its services: the tag that its newest deployment runs."""
    steady: bool
    """Whether all of them are up."""
    registered: RegisteredVersion
    indexes: frozenset[str]
    """The kinds that the contract names for it."""
    revision: str = ""
    """Of its schema."""
    since: datetime | None = None
    """When the deployment that it runs was begun; None: ECS does not say."""
    copied: bool = False
    """Whether Onyx says that all documents are copied, or there are none to copy."""
    lite: bool = False


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What is wanted: of this tenant, this version, by way of that 3.x. `proven`: this run has seen the proof."""

    tenant: str
    target: str = LATEST
    third: str = THIRD
    proven: bool = False


def number(tag: str) -> tuple[int, ...]:
    """`v3.2.1` → (3, 2, 1); empty where it is no fixed version of Onyx 2, 3 or 4."""
    met = re.fullmatch(r"v?([234])\.(\d+)\.(\d+)(?:[-.].*)?", tag)
    return tuple(map(int, met.groups())) if met else ()


def wrong_versions(wanted: Upgrade) -> Iterator[Problem]:
    """What is wrong with the versions that were asked for."""
    for option, tag in (("--to", wanted.target), ("--third", wanted.third)):
        if not number(tag):
            fix = "give a fixed tag of 2.x, 3.x or 4.x, v4.6.1 for example"
            yield Problem("upgrade-version-unknown", f"{tag} is no version of Onyx that is known here", option, fix)
    if number(wanted.third) and number(wanted.third)[0] != COPIES:
        fix = f"leave it out, or give a tag of 3.x, {THIRD} for example"
        yield Problem(
            "upgrade-version-unknown", f"{wanted.third} does not copy documents: only 3.x does", "--third", fix
        )


def stops(running: str, wanted: Upgrade) -> Sequence[str]:
    """The versions that it comes to, the wanted one last; none: it is there."""
    now, target = number(running), number(wanted.target)
    if now == target:
        return ()
    return (wanted.third, wanted.target) if now[0] < COPIES < target[0] else (wanted.target,)


def next_station(it: TenantVersion, wanted: Upgrade, backup: KeptBackup | None, now: datetime) -> Station | Problem:
    """What is to be done next, or why nothing may be."""
    running = it.running.get(wanted.tenant, "")
    problem = _refusal(it, running, wanted)
    if problem is not None:
        return problem
    unsettled = _unsettled(it, running, wanted.tenant)
    if unsettled is not None:
        return unsettled
    if number(running)[0] >= COPIES and lacking(it, running):
        return Station.CHANGE
    stop = next(iter(stops(running, wanted)), "")
    if not stop:
        return Station.ARRIVED
    if leaves_vespa(running, stop) and not (it.copied and wanted.proven):
        return Station.PROOF if it.copied else Station.COPY
    if not suits(backup, it, wanted.tenant, now):
        return Station.BACKUP
    if not missing(it, stop):
        return Station.ROLLOUT
    return unfit(it, stop, wanted.tenant) or Station.CHANGE


def _unsettled(it: TenantVersion, running: str, tenant: str) -> Station | Problem | None:
    """What comes first where not all of its services are up, or not all run the same; None: they are, and do."""
    mixed = _differ(it, running)
    if mixed and it.registered.tag in it.running.values():
        return Station.ROLLOUT
    if it.steady and not mixed:
        return None
    return Station.SETTLE if _is_registered(it, running) else _not_up(tenant)


def _differ(it: TenantVersion, running: str) -> bool:
    """Whether one of its services runs another version; one that is not Onyx's backend has none."""
    return any(tag and tag != running for tag in it.running.values())


def unfit(it: TenantVersion, stop: str, tenant: str) -> Problem | None:
    """Why the registered revision of this version must not be rolled out; None: it may be, or there is none yet."""
    lacks = missing(it, stop)
    if not lacks or not _is_registered(it, stop):
        return None
    fix = f"register a revision of {stop} that has what is named here, then run the same command again"
    return Problem(
        "upgrade-revision-unfit", f"the newest task definition is not fit for {stop}: {'; '.join(lacks)}", tenant, fix
    )


def next_of_finish(it: TenantVersion, wanted: Upgrade, backup: KeptBackup | None, now: datetime) -> Station | Problem:
    """What is to be done next where Vespa shall be given up, or why it may not be."""
    running = it.running.get(wanted.tenant, "")
    if not number(running):
        return _unknown_version(running, wanted.tenant)
    if VESPA not in it.indexes:
        return Station.ARRIVED
    if number(running)[0] <= COPIES:
        fix = f"orchestrate upgrade {wanted.tenant} brings it to 4.x first"
        return Problem("upgrade-not-finished", f"it runs {running}, which needs its Vespa", wanted.tenant, fix)
    if not it.steady or _differ(it, running):
        return _not_up(wanted.tenant)
    return Station.REMOVE if suits(backup, it, wanted.tenant, now) else Station.BACKUP


def way_back(it: TenantVersion, backups: Sequence[KeptBackup], tenant: str) -> KeptBackup | Problem:
    """The newest backup of what ran before the present version; `backups`: complete ones, the newest first."""
    before = (one for one in backups if it.since is not None and one.begun < it.since and one.revisions.get(tenant))
    found = next(before, None)
    if found is not None:
        return found
    fix = "orchestrate backup --list shows every backup; orchestrate restore MANIFEST goes back to any of them"
    running = it.running.get(tenant, "")
    message = f"no backup was taken before {running or 'the present version'} was rolled out"
    return Problem("upgrade-no-way-back", message, tenant, fix)


def lines_back(it: TenantVersion, backup: KeptBackup, tenant: str) -> tuple[str, ...]:
    """How to go back to this backup, and what that costs."""
    since = backup.begun.isoformat(timespec="minutes")
    return (
        f"it runs {it.running[tenant]}; backup {backup.id} of {since} was taken before that, and is good",
        "a restore brings the whole stack back to it: what any tenant has written since is lost, and is named first",
        f"1. set {tenant}'s images, and its index, back to what they were (onyx_version and index in terraform/)",
        f"2. orchestrate restore {backup.place}",
    )


def relies_on_backup(station: Station | Problem) -> bool:
    """Whether it is reached only because there is a backup: that must be good now."""
    return station in (Station.CHANGE, Station.ROLLOUT, Station.REMOVE)


def change_to(it: TenantVersion, wanted: Upgrade) -> str:
    """The version that the lines are changed to: the next one, or the present one where that lacks something."""
    running = it.running[wanted.tenant]
    if number(running)[0] >= COPIES and lacking(it, running):
        return running
    return next(iter(stops(running, wanted)), running)


def _unknown_version(running: str, tenant: str) -> Problem:
    fix = "pin the images to the fixed tag that runs now (orchestrate doctor), and apply that first"
    said = running or "no image of Onyx"
    return Problem("upgrade-version-unknown", f"which version it runs can't be told: {said}", tenant, fix)


def _not_up(tenant: str) -> Problem:
    fix = "`orchestrate doctor` says why; bring it up first (orchestrate run), then upgrade"
    return Problem("upgrade-not-up", "not all of its services are up: what fails now would fail after it", tenant, fix)


def leaves_vespa(running: str, stop: str) -> bool:
    """Whether from then on nothing is left that would copy a document."""
    return number(running)[0] == COPIES < number(stop)[0]


def suits(backup: KeptBackup | None, it: TenantVersion, tenant: str, now: datetime) -> bool:
    """Whether going back to it would bring back what runs now: it is fresh, and of this version.

    It is where the schema is the same; and where it was taken since this version was rolled out: then a migration for
    the next one, cut short, may have come between.
    """
    if backup is None or now - backup.begun > FRESH or not backup.revisions.get(tenant):
        return False
    return backup.revisions[tenant] == it.revision or (it.since is not None and backup.begun > it.since)


def missing(it: TenantVersion, stop: str) -> tuple[str, ...]:
    """What of the newest task definition is not yet as this version needs it, before anything is rolled out."""
    tag = it.registered.tag
    image = (f"the images have the tag {tag or 'of another application'}, not {stop}",)
    unready = (*_untold(it, stop), *_too_small(it, stop))
    return (() if _is_registered(it, stop) else image) + unready


def lacking(it: TenantVersion, version: str) -> tuple[str, ...]:
    """What the running version lacks: indexes, and from Onyx 3 on a `background`, and containers of the right size."""
    needed = NEEDS[number(version)[0]]
    unnamed = (f"the contract names no {kind} for it" for kind in sorted(needed - it.indexes))
    absent = () if "background" in it.registered.memory else (NO_BACKGROUND,)
    unfit_revision = (*_untold(it, version), *_too_small(it, version)) if _is_registered(it, version) else ()
    return (*unfit_revision, *unnamed, *absent)


def _is_registered(it: TenantVersion, version: str) -> bool:
    """Whether the newest revision is of this version, not of the next one already."""
    return number(it.registered.tag) == number(version)


NO_BACKGROUND = "there is no background, neither in its task nor as a service beside it (`workers`)"


def _untold(it: TenantVersion, version: str) -> Iterator[str]:
    for kind in sorted(NEEDS[number(version)[0]] - it.registered.told):
        yield f"its tasks are not told of {kind}"


def _too_small(it: TenantVersion, version: str) -> Iterator[str]:
    if number(version)[0] < COPIES:
        return
    for name, least in SIZES.items():
        has = it.registered.memory.get(name, least)
        if has < least:
            yield f"{name} has {has} MiB, and needs {least}"


def _refusal(it: TenantVersion, running: str, wanted: Upgrade) -> Problem | None:
    tenant = wanted.tenant
    if not number(running):
        return _unknown_version(running, tenant)
    if it.lite:
        fix = "set its images to the new tag: Onyx Lite has no index, and nothing to copy"
        return Problem("upgrade-of-lite", "it is Onyx Lite, which has no documents to take along", tenant, fix)
    if number(running) > number(wanted.target):
        fix = "orchestrate upgrade --back shows the way back: a newer schema can't be read by an older version"
        message = f"it runs {running}, which is newer than {wanted.target}"
        return Problem("upgrade-goes-down", message, tenant, fix)
    ahead = number(it.registered.tag)
    if ahead and ahead[0] > COPIES > number(running)[0]:
        fix = f"set its images to {wanted.third} with both indexes first: 4.x finds none of Vespa's documents"
        message = f"its newest task definition skips a station: from {running} to {it.registered.tag}"
        return Problem("upgrade-station-skipped", message, tenant, fix)
    return None
