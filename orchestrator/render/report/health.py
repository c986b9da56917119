"""The way from a visitor to a tenant's data, link by link, and where it is broken: from what was said, alone. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from orchestrator import index
from orchestrator.engine.check import UNSEEN
from orchestrator.engine.step import tenant_of
from orchestrator.stack.contract import Stack

UP, PENDING, FAILED, FOLLOWS, UNKNOWN = "up", "pending", "failed", "follows", "unknown"
"""A link's states; `follows`: it is wrong because another one is."""
SITE, DNS, BALANCER, TARGETS, TASKS = "site", "dns", "load-balancer", "targets", "tasks"
DATABASE, REDIS, INDEX, FILES = "database", "redis", "index", "files"
TRUNK = (SITE, DNS, BALANCER, TARGETS, TASKS)
"""A visitor's way, in its order."""
BRANCHES = (DATABASE, REDIS, INDEX, FILES)
"""What the tasks need."""
_KINDS = tuple(one.name for one in index.PROVIDERS)
OFF_THE_WAY = ""
"""Of a step or check that is about no link: what the work is done with, or how a bad day would go."""
STEPS: Mapping[str, str] = {
    "database-server": DATABASE,
    "dns-records": DNS,
    "redeploy": TASKS,
    "redis-auth": REDIS,
    "runner": OFF_THE_WAY,
    "services": TASKS,
    "sites": SITE,
    "stored-data": OFF_THE_WAY,
    "tenant-databases": DATABASE,
    **dict.fromkeys(index.STEPS, INDEX),
}
"""Each step of a run → the link that it makes, and looks at."""
CHECKS: Mapping[str, str] = {
    "bucket": FILES,
    "certificate": BALANCER,
    "database-load": DATABASE,
    "database-reach": DATABASE,
    "database-server": DATABASE,
    "database-settings": DATABASE,
    "databases": DATABASE,
    "deployments": TASKS,
    "dns": DNS,
    "health-check": TARGETS,
    "listener-rules": BALANCER,
    "log-groups": TASKS,
    "paused": TASKS,
    "redis": REDIS,
    "redis-reach": REDIS,
    "rollout-settings": TASKS,
    "runner": OFF_THE_WAY,
    "secrets": TASKS,
    "services": TASKS,
    "sites": SITE,
    "sizing": TASKS,
    "task-egress": TASKS,
    "task-memory": TASKS,
    "tasks": TASKS,
    "way-out": TASKS,
    "index-version": INDEX,
    "document-copy": INDEX,
    **{f"{kind}-{about}": INDEX for kind in _KINDS for about in ("container", "instance", "settings")},
}
"""Each check of the doctor → the link that it is about."""
_ABOUT = {
    "database": DATABASE,
    "redis": REDIS,
    "target": TARGETS,
    "bucket": FILES,
    "s3": FILES,
    "dns": DNS,
    **dict.fromkeys(_KINDS, INDEX),
}
"""First word of a code → the link that is the cause, whoever says it: tasks die of a missing database."""
_WORST = (FAILED, FOLLOWS, PENDING, UNKNOWN, UP)
"""Who could not look outweighs who found nothing."""
_SEVERITIES = {"blocker": FAILED, "warning": PENDING}
_PROVES = {"services": TARGETS, "sites": BALANCER}
"""Step → what else is seen to work when it is done: a service is up with its targets, a site is visited through it."""
_PARTS = {"database": DATABASE, "redis": REDIS, "load-balancer": BALANCER}
_DNS = {"ok": UP, "stale": PENDING, "missing": PENDING}


@dataclass(frozen=True, slots=True)
class Link:
    """A part on the way. `subject` is the tenant it is told of; empty: it is told of all."""

    part: str
    state: str
    detail: str = ""
    cause: str = ""
    code: str = ""
    fix: str = ""
    subject: str = ""

    @property
    def broken(self) -> bool:
        """Whether the way ends here, for a cause of its own."""
        return self.state == FAILED


@dataclass(frozen=True, slots=True)
class TenantWay:
    """A tenant's: `trunk` in the order of a visitor's way, `branches` are what its tasks need."""

    tenant: str
    trunk: Sequence[Link]
    branches: Sequence[Link]

    @property
    def state(self) -> str:
        """That of its worst link."""
        return min((link.state for link in (*self.trunk, *self.branches)), key=_WORST.index)


@dataclass(frozen=True, slots=True)
class HealthMap:
    """`broken` are the links to repair, what is told of all first; `ways` the tenants', the worst first."""

    ways: Sequence[TenantWay] = ()
    broken: Sequence[Link] = ()


def of(lines: Sequence[Mapping[str, Any]], stack: Stack | None = None, tenants: Sequence[str] = ()) -> HealthMap:
    """What events tell. With the stack, each link it has is drawn, looked at or not, of these tenants.

    Without it: of the tenants of whom something is said.
    """
    told = list(_with_causes(list(_told(lines))))
    names = tenants or sorted({link.subject for link in told if link.subject})
    seen = {part for link in told if (part := link.part) in BRANCHES}
    ways = []
    for name in names:
        mine = [link for link in told if link.subject in ("", name)]
        there = _branches(stack, name) if stack else seen
        trunk = tuple(_worst(part, mine) for part in TRUNK)
        ways.append(TenantWay(name, trunk, tuple(_worst(part, mine) for part in BRANCHES if part in there)))
    ways.sort(key=lambda way: (_WORST.index(way.state), way.tenant))
    broken = dict.fromkeys(link for link in told if link.broken and link.subject in ("", *names))
    return HealthMap(tuple(ways), tuple(sorted(broken, key=lambda link: link.subject)))


def checked(stack: Stack, tenants: Sequence[str], blind: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Events for what a doctor who has come to the end found nothing wrong with, where it could look."""
    unseen = {CHECKS.get(check, OFF_THE_WAY) for check in blind}
    for tenant in tenants:
        for part in (*TRUNK, *BRANCHES):
            if part not in unseen and (part in TRUNK or part in _branches(stack, tenant)):
                yield {"event": "link-checked", "part": part, "subject": tenant, "detail": "nothing wrong found"}


def _branches(stack: Stack, tenant: str) -> set[str]:
    indexed = {one.tenant for one in stack.indexes}
    have = {DATABASE: True, REDIS: stack.redis is not None, INDEX: tenant in indexed, FILES: bool(stack.bucket)}
    return {part for part, there in have.items() if there}


def _worst(part: str, told: Iterable[Link]) -> Link:
    """Of all that is said of the part; what stands first of the equally bad."""
    said = [link for link in told if link.part == part]
    return min(said, key=lambda link: _WORST.index(link.state), default=Link(part, UNKNOWN, "not looked at"))


def _with_causes(told: Sequence[Link]) -> Iterator[Link]:
    """Where the doctor names a cause, the steps that failed for the same tenant failed of it."""
    explained = {link.subject for link in told if link.broken and link.cause}
    for link in told:
        follows = link.broken and not link.cause and explained & {"", link.subject}
        yield replace(link, state=FOLLOWS) if follows else link


def _told(lines: Sequence[Mapping[str, Any]]) -> Iterator[Link]:
    last: dict[tuple[str, str], Mapping[str, Any]] = {}
    work = max((at for at, line in enumerate(lines) if line["event"] == "step-started"), default=-1)
    for at, line in enumerate(lines):
        match line["event"]:
            case "step-done" | "step-failed" | "step-waiting":
                last[_text(line, "step"), _text(line, "subject")] = line
            case "finding-reported" if at > work:  # what was found before the work is not how it stands after it
                yield from _found(line)
            case "part-observed":
                yield from _observed(line)
            case "link-checked":
                yield Link(_text(line, "part"), UP, _text(line, "detail"), subject=_text(line, "subject"))
    for (step, _), line in last.items():
        yield from _stepped(step, line)


def _stepped(step: str, line: Mapping[str, Any]) -> Iterator[Link]:
    """What a step's last word says of its link. DNS that isn't ours to set was not looked at."""
    state = {"step-done": UP, "step-failed": FAILED}.get(line["event"], PENDING)
    part = STEPS.get(step, OFF_THE_WAY)
    if part and state == FAILED:
        part = _cause(line, part)
    by_hand = step == "dns-records" and state == UP and not line.get("subject")
    if part and not by_hand:
        yield _link(part, state, line)
    subject = _text(line, "subject")
    if state == UP and step in _PROVES and tenant_of(subject) == subject:  # nothing leads to another service
        yield _link(_PROVES[step], UP, line)


def _found(line: Mapping[str, Any]) -> Iterator[Link]:
    check, step = _text(line, "check"), _text(line, "step")
    if not check:
        if step in STEPS and STEPS[step] and _text(line, "code") == "change-planned":
            yield _link(STEPS[step], PENDING, line)
        return
    part = CHECKS.get(check, OFF_THE_WAY)
    if not part:
        return
    state = _SEVERITIES.get(_text(line, "severity"), UP)
    if _text(line, "code") == UNSEEN:
        yield _link(part, UNKNOWN, line)
    elif state == FAILED and _text(line, "root"):
        yield _link(part, FOLLOWS, line)
    else:
        yield _link(_cause(line, part), state, line)


def _observed(line: Mapping[str, Any]) -> Iterator[Link]:
    """A row of `status`: what all share, or a tenant's numbers."""
    part, state = _text(line, "part"), _text(line, "state")
    if part in _PARTS and state in _WORST:
        yield _link(_PARTS[part], state, line)
    if part != "tenant":
        return
    subject = _text(line, "subject")
    for link, some, all_, what in (
        (TASKS, "running", "desired", "running"),
        (TARGETS, "healthy", "targets", "healthy"),
    ):
        have, want = line.get(some), line.get(all_)
        if isinstance(have, int) and isinstance(want, int) and (have or want):
            yield Link(link, UP if have >= want else PENDING, f"{have}/{want} {what}", subject=subject)
    if dns := _text(line, "dns"):
        yield Link(DNS, _DNS.get(dns, UNKNOWN), dns, subject=subject)
    for said in filter(None, (_text(line, kind) for kind in _KINDS)):
        yield Link(INDEX, {"up": UP, "unknown": UNKNOWN}.get(said, PENDING), said, subject=subject)


def _cause(line: Mapping[str, Any], otherwise: str) -> str:
    return _ABOUT.get(_text(line, "code").split("-")[0], otherwise)


def _link(part: str, state: str, line: Mapping[str, Any]) -> Link:
    """Told of the tenant, also where it is said of one of its services."""
    names = ("detail", "cause", "code", "fix")
    return Link(part, state, subject=tenant_of(_text(line, "subject")), **{name: _text(line, name) for name in names})


def _text(line: Mapping[str, Any], key: str) -> str:
    value = line.get(key, "")
    return value if isinstance(value, str) else ""
