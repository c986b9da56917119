"""Whether a tenant's service is up, is coming, or won't come up: rules in their order, the first that answers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from orchestrator.aws.clusters import options
from orchestrator.database.model import WantedDatabase
from orchestrator.engine.step import Blocked, Done, Todo, Verdict, Wait
from orchestrator.errors import Problem, counted
from orchestrator.rollout import limits, pacing, stages, timeline, words
from orchestrator.rollout.diagnosis import Cause, Failure, RepairedBy, classify
from orchestrator.rollout.situation import Situation

TWICE = 2
CRASH_LOOP = 4
"""Failures of one deployment after which it is hopeless whatever their causes."""
UNATTACHED = 10.0
"""Seconds for which a service must be seen without its target group: a change of it may not show yet."""
UNREGISTERED = 60.0
"""Seconds after its last task was started in which ECS may still be about to register it."""
SHORT_LIFE = 300.0
"""Seconds between two starts of a worker's tasks after which the second one isn't taken to follow a crash."""
DATABASE_MISSING = "database-missing"
UNEXPLAINED = "container-exited"
"""Of a task that ended without a word, or with one that isn't understood."""


@dataclass(frozen=True, slots=True)
class RecreateDatabase:
    """Recreate the database, then redeploy the service."""

    service: str
    wanted: WantedDatabase
    forced: bool = True
    """False: its deployments are another controller's to make; ECS starts failed tasks again by itself."""


def judge(situation: Situation) -> Verdict:
    """What the first of `RULES` that answers says; when none does, the rollout is under way."""
    for rule in RULES:
        answer = rule(situation)
        if isinstance(answer, Blocked) and rule in FOUND and _may_be_over(situation):
            says = f"{answer.problem.message}; a deployment begun a moment ago would not show yet"
            return Wait(says, answer.problem.code, answer.problem.fix, poll=timeline.SOON)
        if answer is not None:
            return answer
    return under_way(situation)


def unread(it: Situation) -> Verdict | None:
    """It could not be looked at."""
    return it.rollout.unread.verdict if it.rollout.unread else None


def without_task_set(it: Situation) -> Verdict | None:
    """None of its task sets is the PRIMARY: nobody says which tasks are the newest, so that is not judged."""
    service = it.rollout.service
    if service is None or it.rollout.primary is not None or service.deploys_itself:
        return None
    counts = f"{service.running}/{service.desired} running"
    if service.desired == 0:
        return at_zero(it)
    if service.running >= service.desired and not service.pending:
        return Done(f"{counts}; whether they are the newest is not judged: {service.controller} makes its deployments")
    fix = f"see what {service.controller} is doing: the service has no PRIMARY task set"
    return Wait(f"{counts}, no PRIMARY task set", "service-not-running", fix)


def missing(it: Situation) -> Verdict | None:
    """There is no such service, or nothing it works towards."""
    if it.rollout.service is not None and it.rollout.primary is not None:
        return None
    fix = "check `cluster`, `region` and the tenant's `service` in the contract"
    return Blocked(Problem("service-missing", f"there is no service {it.name}", it.tenant, fix))


def count_not_shown(it: Situation) -> Verdict | None:
    """ECS still shows the count from before this run scaled it."""
    if it.scaled_to is None or it.service.desired:
        return None
    why = f"ECS still shows a desired count of 0, but {it.scaled_to} were asked for"
    return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=timeline.SOON)


def ours_not_shown(it: Situation) -> Verdict | None:
    """ECS still shows the world from before this run changed it: the old deployment may be as steady as ever."""
    if it.ours is None or any(one.id == it.ours for one in it.service.deployments):
        return None
    before = it.primary.id in it.earlier if it.earlier is not None else it.primary.created_at < it.started
    if not before:
        return None
    why = f"ECS still shows {it.primary.id}, from before our {it.ours or 'redeploy'}"
    return Wait(why, "deployment-not-seen", timeline.NOT_SEEN, poll=timeline.SOON)


def at_zero(it: Situation) -> Verdict | None:
    """No task is wanted of it: right where that was allowed."""
    service = it.service
    if service.desired:
        return None
    if it.rules.allow_zero:
        left = service.running + service.pending
        return Wait(f"scaled to 0, {counted(left, 'task')} still there") if left else Done("scaled to 0, as allowed")
    scaling = f"aws ecs update-service {options(service.name, it.cluster)} --desired-count N"
    fix = f"{scaling} (paused: orchestrate resume; --allow-zero)"
    return Blocked(Problem("desired-count-zero", f"{service.name} is scaled to 0", it.tenant, fix))


def rolled_back(it: Situation) -> Verdict | None:
    """ECS went back to an older deployment."""
    watched = it.rollout.watched if it.ours is None else it.ours
    if it.stopped or not timeline.rolled_back(it.service, watched):
        return None
    message = f"ECS gave up on the new deployment and rolled back to an older one ({it.primary.task_definition})"
    causes = [classify(failure).message for failure in it.rollout.failures[:1]]
    why = "".join(f": {said}" for said in (*causes, stages.reason(it.rollout.record)) if said)
    fix = "repair what made its tasks fail (orchestrate doctor, the service's events), then deploy again"
    return Blocked(Problem("rolled-back", message + why, it.tenant, fix))


def superseded(it: Situation) -> Verdict | None:
    """Somebody began another deployment than the one that was found.

    When this run caused one, whichever comes after it has what ours was for: it is followed. One that is older than
    this run was only not shown at the first look; a wary run expects one to come.
    """
    watched, primary = it.rollout.watched, it.primary
    expected = it.ours is not None or it.rules.wary or primary.created_at < it.started
    if expected or watched in ("", primary.id):
        return None
    message = f"somebody started deployment {primary.id} while {watched} was in progress"
    return Blocked(Problem("superseded", message, it.tenant, "run the same command again to wait for the new one"))


def up(it: Situation) -> Verdict | None:
    """ECS is content with the one deployment there is, the load balancer with every target; it must hold."""
    rollout, healthy = it.rollout, it.rollout.targets.healthy
    reached = healthy >= it.service.desired and set(rollout.targets.states) == {"healthy"}
    if not rollout.steady or not (it.worker or reached or rollout.spared):
        return None
    peace = it.seconds_since(timeline.unchanged_since(it.service, it.primary))
    left = max(_settle_time(it) - peace, _doubt(it))
    targets = ", steady, targets not asked for" if rollout.spared else f", {healthy} healthy"
    says = f"{it.counts}{'' if it.worker else targets}: {words.identity(rollout)}"
    return Done(says) if left <= 0 else Wait(f"{says}, settling", poll=max(left, pacing.DENSEST))


def database_lost(it: Situation) -> Verdict | None:
    """The database went missing after its step was done: recreate it and redeploy, once in a run."""
    if (
        not it.rules.recreates_database
        or it.database_recreated is not None
        or it.wanted is None
        or not it.rollout.failures
    ):
        return None
    newest = it.rollout.failures[0]
    if classify(newest).code != DATABASE_MISSING or not _watched(newest, it.started):
        return None
    forced = it.service.deploys_itself
    again = f"recreate database {it.wanted.database}{f' and redeploy {it.name}' if forced else ''}: it has gone missing"
    return Todo(again, RecreateDatabase(it.name, it.wanted, forced))


def hopeless(it: Situation) -> Verdict | None:
    """The rollout failed for good; or the same cause came twice, once at least while we watched; or it crash-loops."""
    rollout = it.rollout
    failures = [failure for failure in rollout.failures if not _since_repaired(failure, it.database_recreated)]
    causes = [classify(failure) for failure in failures]
    if it.primary.rollout_state == "FAILED" and not rollout.alive:
        return Blocked(_problem(it, causes))
    watched = any(_watched(failure, it.started) for failure in failures)
    if not watched or not causes or causes[0].repaired_by is RepairedBy.TIME:
        return None
    repeated = Counter(cause.code for cause in causes)[causes[0].code]
    return Blocked(_problem(it, causes)) if repeated >= TWICE or len(causes) >= CRASH_LOOP else None


def unattached(it: Situation) -> Verdict | None:
    """Its tasks run, and will never be in the target group that its name leads to."""
    known = it.service.target_groups
    attached = known is None or not it.group or it.group in known
    if attached or not it.rollout.steady or it.rollout.targets.states:
        return None
    if it.since is not None and it.seconds_since(it.since) < UNATTACHED:
        return None
    message = f"{it.name} registers its tasks in {', '.join(known or ()) or 'no target group'}, not in {it.group}"
    fix = "name the tenant's target group in the service's load_balancer block; terraform apply"
    return Blocked(Problem("target-group-not-attached", message, it.tenant, fix))


def cannot_begin(it: Situation) -> Verdict | None:
    """The service's own limits let the new deployment neither start a task nor stop one."""
    if not limits.cannot_begin(it.service):
        return None
    message = f"the new deployment of {it.name} cannot start a task: {limits.why(it.service)}"
    fix = f"{limits.remedy(it.service, it.cluster)} (and in Terraform: {limits.IN_TERRAFORM})"
    return Blocked(Problem(limits.CODE, message, it.tenant, fix))


def unregistered(it: Situation) -> Verdict | None:
    """Its tasks run, and are in no target group any more: ECS registers only new ones."""
    known = it.service.target_groups
    if known is None or it.group not in known or not it.rollout.steady or it.rollout.targets.states:
        return None
    peace = it.seconds_since(timeline.unchanged_since(it.service, it.primary))
    seen = it.seconds_since(it.since) if it.since is not None else 0.0
    if peace < UNREGISTERED or seen < UNATTACHED:
        return None
    message = f"the tasks of {it.name} are running, but none is registered in {it.group}: they were deregistered"
    fix = f"orchestrate redeploy {it.tenant}: ECS registers only new tasks"
    return Blocked(Problem("target-not-registered", message, it.tenant, fix))


def under_way(it: Situation) -> Wait:
    """Nothing is wrong with it yet: what it is doing, and when its next state can come."""
    rollout, primary = it.rollout, it.primary
    other = it.ours is not None and it.ours != primary.id
    stage = rollout.stage or timeline.Expectation(primary.created_at)
    return Wait(
        words.doing(rollout, it.counts, it.check) + (" (superseded by another deployment)" if other else ""),
        *words.should_it_never(rollout, it.tenant),
        poll=pacing.next_look(it.seconds_since(stage.since), stage, None if rollout.failures else it.check),
        progress=f"{primary.id} {rollout.revision}" if rollout.revision else "",
    )


RULES: tuple[Callable[[Situation], Verdict | None], ...] = (
    unread,
    without_task_set,
    missing,
    count_not_shown,
    ours_not_shown,
    at_zero,
    rolled_back,
    superseded,
    cannot_begin,
    up,
    database_lost,
    hopeless,
    unattached,
    unregistered,
)
"""Those after `missing` are asked only of a service that has a PRIMARY deployment."""

FOUND = (at_zero, rolled_back, cannot_begin, hopeless)
"""Those that may judge what was there before this run began."""


def _may_be_over(it: Situation) -> bool:
    """Whether ECS may show what somebody has replaced a moment ago: it answers late, by seconds."""
    if it.since is None or it.ours is not None or it.primary.created_at >= it.started:
        return False
    return it.seconds_since(it.since) < it.rules.found


def _doubt(it: Situation) -> float:
    """Seconds for which a deployment that we did not cause has yet to be seen to be the newest."""
    if not it.rules.wary or it.ours is not None:
        return 0.0
    return it.rules.wary - it.seconds_since(it.since or it.now)


def _settle_time(it: Situation) -> float:
    """Undisturbed seconds that count as up: after crashes as many as a crashed task lived, up to six times `settle`.

    Of a worker nobody asks whether it is well, so that those it lost are not all known: it has to hold longest then.
    """
    rollout, settle = it.rollout, it.rules.settle
    if it.worker and timeline.started_again(it.service, it.primary, SHORT_LIFE):
        return 6 * settle
    lives = [
        (task.stopped_at - task.created_at).total_seconds()
        for task in (failure.task for failure in rollout.failures)
        if task.stopped_at is not None and task.created_at is not None
    ]
    return max(settle, min(max(lives, default=0.0), 6 * settle))


def _watched(failure: Failure, started: datetime) -> bool:
    """Whether the task ended while this run watched. One that is still being stopped has no time yet."""
    return failure.task.stopped_at is None or failure.task.stopped_at >= started


def _since_repaired(failure: Failure, database_recreated: datetime | None) -> bool:
    """Whether the database that it missed was recreated since; where this run may not redeploy, new failures count.

    One whose last words are not there yet may have missed it too: it counts when it happens again.
    """
    made = failure.task.created_at
    cause = classify(failure).code
    return (
        database_recreated is not None
        and made is not None
        and made < database_recreated
        and cause in (DATABASE_MISSING, UNEXPLAINED)
    )


def _problem(it: Situation, causes: Sequence[Cause]) -> Problem:
    if not causes:
        fix = "look at the service's events; its stopped tasks are no longer shown"
        why = stages.reason(it.rollout.record) or it.primary.rollout_reason
        return Problem("rollout-failed", f"the rollout failed: {why}", it.tenant, fix)
    cause = causes[0]
    evidence = f" ({cause.evidence})" if cause.evidence else ""
    return Problem(cause.code, f"{cause.message}{evidence}", it.tenant, cause.fix)
