"""Each rule of the verdict by itself: when it answers, when it leaves the answer to the next, and in which order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.aws.ecs import Container, Deployment, Service, Task
from orchestrator.aws.elbv2 import HealthCheck, TargetHealth
from orchestrator.aws.service_events import ServiceEvent
from orchestrator.database.model import WantedDatabase
from orchestrator.engine.step import Blocked, Unread, Verdict, Wait
from orchestrator.errors import Problem
from orchestrator.rollout import verdict
from orchestrator.rollout.diagnosis import Failure
from orchestrator.rollout.progress import Rollout
from orchestrator.rollout.situation import Rules, Situation
from orchestrator.rollout.verdict import RULES, judge

START = datetime(2026, 1, 1, tzinfo=UTC)
GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1"
HEALTHY, NONE = TargetHealth({"healthy": 1}), TargetHealth()
UNREAD = Unread(Problem("throttled", "slow down"), passing=True)
DATABASE = WantedDatabase("a", "onyx_a", "onyx_a", "arn:secret", "key")


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def deployment(name: str = "ecs-svc/2", **changes: Any) -> Deployment:
    made = Deployment(name, "PRIMARY", "COMPLETED", "", "td:2", 1, 1, 0, at(10))
    return replace(made, **changes)


def service(*deployments: Deployment, **changes: Any) -> Service:
    shown = deployments or (deployment(),)
    return replace(Service("a-service", "ACTIVE", 1, 1, 0, shown, target_groups=(GROUP,)), **changes)


def rollout(seen: Service | None = None, targets: TargetHealth = HEALTHY, **changes: Any) -> Rollout:
    return replace(Rollout(seen or service(), targets, watched="ecs-svc/2"), **changes)


def situation(seen: Rollout | None = None, **changes: Any) -> Situation:
    """A service that is up and held: by itself it is Done."""
    made = Situation("a", "a-service", seen or rollout(), at(0), at(100), Rules(settle=10), group=GROUP)
    return replace(made, **changes)


def failure(
    number: int = 1, *, ended: float = 50, log: str = "ValueError", code: str = "EssentialContainerExited"
) -> Failure:
    containers = (Container("api", "STOPPED", 1),)
    task = Task(f"t/{number}", "ecs-svc/2", "td:2", "STOPPED", at(ended - 20), at(ended), code, "", containers)
    return Failure(task, (log,))


COMING = service(deployment(rollout_state="IN_PROGRESS", running=0), running=0)
GIVEN_UP = service(deployment(rollout_state="FAILED", running=0), running=0)
EXTERNAL = service(deployment(status="ACTIVE"), controller="EXTERNAL")
OLD = deployment("ecs-svc/1", created_at=at(-500))
BACK = service(happened=(ServiceEvent(at(11), "(service a) rolling back to (deployment ecs-svc/1)."),))
LOST = failure(log='FATAL:  database "onyx_a" does not exist')
ELSEWHERE = service(target_groups=("arn:other",))


@pytest.mark.parametrize(
    ("rule", "answers", "passes"),
    [
        ("unread", situation(rollout(unread=UNREAD)), situation()),
        ("without_task_set", situation(rollout(EXTERNAL)), situation(rollout(service(controller="EXTERNAL")))),
        ("missing", situation(Rollout(None)), situation()),
        ("count_not_shown", situation(rollout(service(desired=0)), scaled_to=2), situation(scaled_to=2)),
        ("ours_not_shown", situation(ours="ecs-svc/3", earlier=frozenset({"ecs-svc/2"})), situation(ours="ecs-svc/2")),
        ("ours_not_shown", situation(rollout(service(OLD)), ours="ecs-svc/2"), situation(ours="ecs-svc/3")),
        ("at_zero", situation(rollout(service(desired=0))), situation()),
        ("rolled_back", situation(rollout(BACK)), situation()),
        ("superseded", situation(rollout(watched="ecs-svc/1")), situation(rollout(watched="ecs-svc/1"), ours="x")),
        ("superseded", situation(rollout(watched="x")), situation(rollout(watched="x"), rules=Rules(wary=5))),
        ("superseded", situation(rollout(watched="x")), situation(rollout(watched="x"), started=at(11))),
        ("superseded", situation(rollout(watched="x")), situation(rollout(watched=""))),
        ("up", situation(), situation(rollout(targets=TargetHealth({"healthy": 1, "draining": 1})))),
        (
            "database_lost",
            situation(rollout(COMING, failures=(LOST,)), rules=Rules(recreates_database=True), wanted=DATABASE),
            situation(
                rollout(COMING, failures=(LOST,)),
                rules=Rules(recreates_database=True),
                wanted=DATABASE,
                database_recreated=at(0),
            ),
        ),
        ("hopeless", situation(rollout(GIVEN_UP)), situation(rollout(COMING))),
        (
            "hopeless",
            situation(rollout(COMING, failures=(failure(2), failure(1)))),
            situation(rollout(COMING, failures=(failure(2), failure(1))), started=at(60)),
        ),
        ("unattached", situation(rollout(ELSEWHERE, NONE)), situation(rollout(ELSEWHERE, NONE), since=at(95))),
        ("unattached", situation(rollout(ELSEWHERE, NONE), since=at(90)), situation(rollout(targets=NONE))),
    ],
)
def test_a_rule_answers_or_leaves_it_to_the_next(rule: str, answers: Situation, passes: Situation) -> None:
    asked = getattr(verdict, rule)
    assert asked in RULES
    assert asked(answers) is not None
    assert asked(passes) is None
    assert judge(answers) == asked(answers), "no rule before it has another opinion"


@pytest.mark.parametrize(
    ("seen", "first"),
    [
        (situation(rollout(EXTERNAL, unread=UNREAD)), verdict.unread),
        (situation(rollout(service(desired=0)), scaled_to=1, rules=Rules(allow_zero=True)), verdict.count_not_shown),
        (situation(ours="ecs-svc/3", earlier=frozenset({"ecs-svc/2"})), verdict.ours_not_shown),
        (situation(rollout(BACK, watched="ecs-svc/1")), verdict.rolled_back),
        (situation(rollout(watched="ecs-svc/1")), verdict.superseded),
        (
            situation(
                rollout(COMING, failures=(LOST, LOST, LOST, LOST)),
                rules=Rules(recreates_database=True),
                wanted=DATABASE,
            ),
            verdict.database_lost,
        ),
    ],
)
def test_of_two_rules_that_answer_the_first_counts(seen: Situation, first: Any) -> None:
    """What is up by every count is not, while ours isn't shown; what can be repaired is not yet hopeless."""
    later = [rule for rule in RULES[RULES.index(first) + 1 :] if rule is not verdict.missing]
    assert any(rule(seen) not in (None, first(seen)) for rule in later), "else the order would not matter"
    assert judge(seen) == first(seen)


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({"rules": Rules(settle=10), "now": at(15)}, 5),
        ({"rules": Rules(settle=10), "now": at(20)}, None),
        ({"rules": Rules(settle=10, wary=50), "since": at(80)}, 30),
        ({"rules": Rules(settle=10, wary=50)}, 50),
        ({"rules": Rules(settle=10, wary=50), "since": at(80), "ours": "ecs-svc/2"}, None),
        ({"rollout": rollout(failures=(failure(ended=9),)), "now": at(25)}, 5),
    ],
)
def test_it_must_hold_for_so_long(changes: dict[str, Any], left: float | None) -> None:
    found = judge(situation(**changes))
    assert found == verdict.up(situation(**changes))
    assert (found.poll if isinstance(found, Wait) else None) == left


@pytest.mark.parametrize(
    ("seen", "code"),
    [
        (situation(rollout(COMING)), "service-not-running"),
        (situation(rollout(COMING, failures=(failure(),))), "container-exited"),
        (situation(rollout(targets=TargetHealth({"unhealthy": 1}))), "target-unhealthy"),
        (situation(rollout(targets=NONE)), "target-not-registered"),
    ],
)
def test_what_no_rule_answers_is_under_way(seen: Situation, code: str) -> None:
    found: Verdict = judge(seen)
    assert isinstance(found, Wait)
    assert (found, found.code) == (verdict.under_way(seen), code)


def test_the_load_balancer_is_not_asked_before_its_checks_can_be_over() -> None:
    registered = ServiceEvent(at(99), "(service a) registered 1 targets in (target-group tg)")
    seen = situation(rollout(service(deployment(rollout_state="IN_PROGRESS"), happened=(registered,)), NONE))
    unknown, known = judge(seen), judge(replace(seen, check=HealthCheck(interval=30, healthy=2, unhealthy=10)))
    assert isinstance(unknown, Wait)
    assert isinstance(known, Wait)
    assert unknown.poll is not None
    assert known.poll is not None
    assert unknown.poll < known.poll


def test_rules_after_the_first_three_are_not_asked_of_a_service_that_is_not_there() -> None:
    absent = situation(Rollout(None))
    assert RULES[:3] == (verdict.unread, verdict.without_task_set, verdict.missing)
    assert isinstance(judge(absent), Blocked)
    with pytest.raises(LookupError):
        verdict.at_zero(absent)


def test_an_unhealthy_target_is_explained_while_it_is_waited_for() -> None:
    said = "Target.ResponseCodeMismatch: Health checks failed with these codes: [503]"
    sick = TargetHealth({"unhealthy": 1}, ("Target.ResponseCodeMismatch",), explained=(said,))
    check = HealthCheck(path="/api/health", interval=30, healthy=2, unhealthy=10)
    seen = judge(situation(rollout(targets=sick), check=check))
    assert isinstance(seen, Wait)
    assert f"1 target unhealthy at /api/health ({said})" in seen.because
