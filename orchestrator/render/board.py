"""The one table of `status`: rows from what the steps saw at one moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from orchestrator import index
from orchestrator.aws.elbv2 import TargetHealth
from orchestrator.engine.runner import Observation
from orchestrator.engine.step import SEPARATOR, STACK, Blocked, Done, Subject, Todo, Verdict, Wait
from orchestrator.events import PartObserved
from orchestrator.probe import Reached
from orchestrator.rollout.progress import Rollout
from orchestrator.stack.contract import Stack

UP, PENDING, FAILED, UNKNOWN = "up", "pending", "failed", "unknown"
INDEXES = frozenset(index.STEPS)
SHARED = frozenset({"database-server", "redis-auth", "runner"})
"""Steps whose verdict is a row of its own, or about the tools: a tenant's row doesn't repeat it."""


def rows(
    stack: Stack, sights: Mapping[str, Observation], balancers: Mapping[str, str | None], tenants: Sequence[Subject]
) -> tuple[PartObserved, ...]:
    """The shared parts, then the tenants. `balancers` are states by name; None: it could not be asked."""
    shared = [_shared("database", stack.database.server, sights.get("database-server"))]
    if stack.redis is not None:
        shared.append(_shared("redis", stack.redis.replication_group, sights.get("redis-auth")))
    shared += [_balancer(name, state) for name, state in balancers.items()]
    return (*shared, *(_tenant(name, stack, sights) for name in tenants))


def is_up(parts: Iterable[PartObserved]) -> bool:
    """Whether every row is."""
    return all(part.state == UP for part in parts)


def _row(part: str, state: str, detail: str, **more: Any) -> PartObserved:
    return PartObserved(step="status", part=part, state=state, detail=detail, **more)


def _shared(part: str, name: str, sight: Observation | None) -> PartObserved:
    if sight is None:
        return _row(part, UNKNOWN, f"{name}: not checked")
    verdict = sight.verdicts[STACK]
    return _row(part, _state(verdict) if sight.facts is not None else UNKNOWN, words(verdict))


def _balancer(name: str, state: str | None) -> PartObserved:
    if state is None:
        return _row("load-balancer", UNKNOWN, f"{name} could not be read")
    known = {"active": UP, "active_impaired": UP, "provisioning": PENDING}
    return _row("load-balancer", known.get(state, FAILED), f"{name} is {state or 'missing'}")


def _tenant(name: Subject, stack: Stack, sights: Mapping[str, Observation]) -> PartObserved:
    counting = {step: sight for step, sight in sights.items() if step not in SHARED and not _is_extra(step, sight)}
    own = stack.subjects_of([name])
    verdicts = {_where(step, one): _of(sight, one) for step, sight in counting.items() for one in own}
    said = {where: verdict for where, verdict in verdicts.items() if verdict is not None and not _is_blind(verdict)}
    state, telling = _worst(said)
    dns, site = _visit(name, sights.get("sites"))
    return _row(
        "tenant",
        state,
        telling or f"https://{stack.tenants[name].hostname}",
        subject=name,
        **_counts(own, sights),
        **{one.name: _index(name, sights.get(f"{one.name}-containers")) for one in index.PROVIDERS},
        dns=dns,
        site=site,
    )


def _where(step: str, subject: Subject) -> str:
    """The step; of which service beside the first."""
    worker = subject.partition(SEPARATOR)[2]
    return f"{step} of {worker}" if worker else step


def _of(sight: Observation, subject: Subject) -> Verdict | None:
    """The step's verdict for it, or for all where it could not look at anybody."""
    return sight.verdicts.get(subject) or (sight.verdicts.get(STACK) if sight.facts is None else None)


def _is_extra(step: str, sight: Observation) -> bool:
    """A look that no run depends on, and that failed: where SSM may not enter the indexes' instances, say."""
    return step in INDEXES and sight.facts is None


def _is_blind(verdict: Verdict) -> bool:
    return isinstance(verdict, Blocked) and verdict.problem.code in {f"{one.name}-unclear" for one in index.PROVIDERS}


def _worst(verdicts: Mapping[str, Verdict]) -> tuple[str, str]:
    """The tenant's state, and what keeps it from being up."""
    for state in (FAILED, PENDING):
        for step, verdict in verdicts.items():
            if _state(verdict) == state:
                return state, f"{step}: {words(verdict)}"
    return (UP, "") if verdicts else (UNKNOWN, "not looked at")


def _state(verdict: Verdict) -> str:
    if isinstance(verdict, Done):
        return UP
    return FAILED if isinstance(verdict, Blocked) else PENDING


def words(verdict: Verdict) -> str:
    """A verdict for people."""
    match verdict:
        case Done(detail):
            return detail
        case Todo(change):
            return f"would {change}"
        case Wait(because):
            return because
        case Blocked(problem):
            return problem.message


def _counts(own: Sequence[Subject], sights: Mapping[str, Observation]) -> dict[str, int]:
    """Tasks of all its services as `services` saw them, which is watched; targets too, or as `redeploy` saw them."""
    looks = [sights.get(step) for step in ("services", "redeploy")]
    seen = {name: [one for sight in looks if (one := _rollout(name, sight)) is not None] for name in own}
    services = [some[0].service for some in seen.values() if some and some[0].service is not None]
    if not services:
        return {}
    targets = next((one.targets for one in seen[own[0]] if one.targets.states), TargetHealth())
    counts = {"running": sum(one.running for one in services), "desired": sum(one.desired for one in services)}
    return {**counts, "healthy": targets.healthy, "targets": sum(targets.states.values())}


def _rollout(name: Subject, sight: Observation | None) -> Rollout | None:
    rollouts: Mapping[Subject, Rollout] = sight.facts.rollouts if sight and sight.facts else {}
    return rollouts.get(name)


def _index(name: Subject, sight: Observation | None) -> str:
    facts = sight.facts if sight else None
    if facts is None or name not in facts.instances:
        return ""
    if name in facts.states:
        return facts.states[name] or "missing"
    seen = facts.inside[name]
    if seen is None:
        return UNKNOWN
    if not seen.dockerd:
        return "booting" if seen.booting else "no docker"
    if seen.state == "running":
        return UP if seen.healthy else "starting"
    return str(seen.state)


def _visit(name: Subject, sight: Observation | None) -> tuple[str, str]:
    """Where the tenant's name leads, and what a visitor gets."""
    facts = sight.facts if sight else None
    if facts is None:
        return "", ""
    answer, probe = facts.answers[name], facts.probes.get(name)
    silent = UNKNOWN if not answer.is_final else "missing"
    found = silent if not answer.chain and not answer.addresses else "stale"
    dns = "ok" if answer.leads_to(facts.target) else found
    if probe is None:
        return dns, ""
    return dns, str(probe.status) if probe.reached is Reached.ANSWERED else probe.reached.value
