"""Trials: faults are injected into a healthy stack, the wait and the doctor look, and the stack is repaired."""

from __future__ import annotations

import shlex
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random

from orchestrator import app
from orchestrator.errors import Outcome
from orchestrator.local.faults import catalogue
from orchestrator.local.onyx.fatal_logs import FATAL_LOGS
from orchestrator.local.world.native import Native, become_native, become_rolling
from tests.diagnose.causes import (
    ALONE,
    BY_ITS_TASKS,
    CAUSES,
    ELSEWHERE,
    HARMLESS,
    HOPELESS,
    LEFT_BY_ITS_FIX,
    THROUGH_THE_RUNNER,
    TOLD_BY_TASKS,
)
from tests.diagnose.example_stack import HASTE, TENANTS, ExampleStack, Fault, Seen, refused, until, whom
from tests.diagnose.remedies import commands, run

AFFECTED = TENANTS[1]
OF_THE_AFFECTED = ("opensearch-", "copy-")
"""Faults of these names are its alone: the other tenant has no OpenSearch."""
MOST_LIFETIMES = 2
"""Task lifetimes after which a hopeless fault must be named."""


@dataclass(frozen=True)
class Result:
    """How a trial ended. `seconds` are AWS's, from the injection to the verdict; `why` it is wrong, else empty."""

    name: str
    seconds: float
    calls: int
    first: str
    why: str = ""
    tried: tuple[str, ...] = ()
    """The commands of its fix that were run; the stack was green after them, or `why` says so."""
    lifetimes: float | None = None
    """Mean lives of a failing task until the wait gave up."""
    spent: Mapping[str, int] = field(default_factory=dict)
    """Real seconds, by what they went into."""

    @property
    def right(self) -> bool:
        return not self.why


def single(example: ExampleStack, name: str) -> Result:
    """One fault: its cause must be the doctor's first finding; if it is hopeless, the wait must say so in time."""
    wanted = CAUSES.get(name, "nothing")
    return _tried(example, (whom(name, AFFECTED),), wanted, lambda seen: seen.first == wanted)


def pair(example: ExampleStack, faults: tuple[Fault, Fault]) -> Result:
    """Two faults: both causes must be among the findings."""
    names = [name for name, _ in faults]
    wanted = [{CAUSES[name], BY_ITS_TASKS.get(name, CAUSES[name])} for name in names]
    both = " and ".join(CAUSES[name] for name in names)
    return _tried(example, faults, both, lambda seen: all(one & seen.codes for one in wanted))


def pairs(number: int, seed: int) -> Iterator[tuple[Fault, Fault]]:
    """Random pairs, each fault with a random tenant where it is a tenant's.

    One that is told by tasks alone has a tenant of its own: two that end the same tasks are seen one after the other.
    """
    draw = Random(seed)
    names = sorted(name for name in CAUSES if name not in ALONE)
    for _ in range(number):
        one, other = draw.sample(names, 2)
        tenants = [draw.choice(TENANTS), draw.choice(TENANTS)]
        if TOLD_BY_TASKS & {one, other}:
            draw.shuffle(tenants := list(TENANTS))
        if any(
            name.startswith(OF_THE_AFFECTED) and whose != AFFECTED
            for name, whose in zip((one, other), tenants, strict=True)
        ):
            tenants = tenants[::-1] if len(set(tenants)) > 1 else [AFFECTED, AFFECTED]
        yield whom(one, tenants[0]), whom(other, tenants[1])


def named(faults: Sequence[Fault]) -> str:
    """What a trial is called."""
    return " + ".join(f"{name} ({tenant})" if len(faults) > 1 and tenant else name for name, tenant in faults)


def _tried(example: ExampleStack, faults: Sequence[Fault], wanted: str, right: Callable[[Seen], bool]) -> Result:
    example.spent.clear()
    result = _ended(example, faults, wanted, right)
    return replace(result, spent={phase: round(spent) for phase, spent in example.spent.items()})


def _ended(example: ExampleStack, faults: Sequence[Fault], wanted: str, right: Callable[[Seen], bool]) -> Result:
    names, looks = {name for name, _ in faults}, list[Seen]()
    transport = "ssm" if names & THROUGH_THE_RUNNER else "direct"

    def is_right() -> bool:
        looks.append(example.examine(transport))
        return right(looks[-1])

    name = named(faults)
    waiting, clock = example.waiting(), time.monotonic()
    with example.at("injecting"):
        why = refused(lambda: example.inject(faults))
    if why:
        example.clear(faults)
        return Result(name, 0.0, 0, "", f"refused: {why}")
    lifetimes: float | None = None
    if len(faults) == 1 and names <= HOPELESS:
        with example.at("waiting"):
            example.redeploy(AFFECTED)
            why, lifetimes = _waited(example, waiting)
    with example.at("looking"):
        found = until(is_right)
    seconds = (time.monotonic() - clock) * example.running.speed
    tries = found and len(faults) == 1 and not names & FATAL_LOGS.keys()  # those say their words whatever is repaired
    tried, not_fixed = _fix_tried(example, looks[-1]) if tries else ((), "")
    with example.at("clearing", HASTE):
        left = refused(lambda: example.clear(faults))  # what its fix has undone can't be undone again
    problems = (
        why,
        "" if found else f"not {wanted}",
        not_fixed,
        "" if example.repair() else f"stays broken {left}".strip(),
    )
    said = "; ".join(one for one in problems if one)
    return Result(name, seconds, looks[-1].calls, looks[-1].first, said, tried=tried, lifetimes=lifetimes)


def _fix_tried(example: ExampleStack, seen: Seen) -> tuple[tuple[str, ...], str]:
    """The commands of the first fix, run while the fault is on; and what is wrong when the stack is not green then.

    What two secrets lack is found twice, each with a fix of its own.
    """
    same = [one for one in seen.findings if one.code == seen.first and one.subject == seen.findings[0].subject]
    typed = tuple(dict.fromkeys(typed for one in same for typed in commands(one.fix)))
    if not typed:
        return (), ""
    shown = tuple(map(shlex.join, typed))
    with example.at("fixing", HASTE):
        refused = "; ".join(filter(None, (run(one, example.contract, example.folder) for one in typed)))
    if refused:
        return shown, f"its fix was refused: {refused}"
    left = LEFT_BY_ITS_FIX.get(seen.first)
    green = until(lambda: example.examine().codes == left) if left else example.repair()
    return shown, "" if green else f"its fix repaired nothing: {', '.join(sorted(example.examine().codes))}"


def _waited(example: ExampleStack, waiting: app.Operation) -> tuple[str, float | None]:
    """What is wrong with how the wait for a hopeless deployment ended (empty: nothing), and after how many lives."""
    began = time.time()
    ending = waiting.run(lambda _event: None).endings["services"].get(AFFECTED)
    ended = time.time()
    if ending is None or ending.outcome is not Outcome.FAILED:
        return f"the wait ended as {ending.outcome.word if ending else 'nothing'}", None
    spans = example.lifetimes(AFFECTED, began)
    lives = [end - start for start, end in spans if end <= ended]
    if not lives:
        return "", 0.0
    lived = (ended - began) / statistics.mean(lives)
    late = len(lives) > MOST_LIFETIMES
    return (f"the wait took {len(lives)} lives of a task" if late else ""), lived


# A stack that is well, whatever is done with it.


def calm(example: ExampleStack, name: str) -> Result:
    """What is done on a good day: no look of the doctor while it goes on may find anything."""
    clock, looks = time.monotonic(), list[Seen]()
    begin, is_over, end = CALM[name](example)
    begin()

    def look() -> bool:
        over = is_over()
        looks.append(example.examine())
        return over

    over = until(look)
    end()
    found = sorted({code for seen in looks for code in seen.codes})
    seconds = (time.monotonic() - clock) * example.running.speed
    why = f"found {', '.join(found)}" if found else "" if over else "it did not end"
    repaired = "" if example.repair() else "stays broken"
    return Result(name, seconds, looks[-1].calls, looks[-1].first, "; ".join(one for one in (why, repaired) if one))


Day = tuple[Callable[[], object], Callable[[], bool], Callable[[], object]]
"""What begins it, whether it is over, what puts things back."""


def _healthy(example: ExampleStack) -> Day:
    return lambda: None, lambda: True, lambda: None


def _deploying(example: ExampleStack) -> Day:
    def begin() -> None:
        for tenant in TENANTS:
            example.update(tenant, forceNewDeployment=True)

    return (
        begin,
        lambda: all(map(example.is_steady, TENANTS)),
        lambda: None,
    )


def _scaling(example: ExampleStack) -> Day:
    """Out; back in when it is over."""
    return (
        partial(example.update, AFFECTED, desiredCount=3),
        lambda: example.is_steady(AFFECTED),
        partial(example.update, AFFECTED, desiredCount=1),
    )


def _scaling_in(example: ExampleStack) -> Day:
    def begin() -> None:
        example.update(AFFECTED, desiredCount=3)
        until(lambda: example.is_steady(AFFECTED))
        example.update(AFFECTED, desiredCount=1)

    return begin, lambda: example.is_steady(AFFECTED), lambda: None


def _paused(example: ExampleStack) -> Day:
    """The guide's pause: no tasks, a stopped server, stopped instances; looked at while AWS may not show it yet."""
    rds, ec2 = example.client("rds"), example.client("ec2")
    server = {"DBInstanceIdentifier": example.stack.database.instance}
    instances = {"InstanceIds": sorted(set(example.stack.index_instances))}

    def begin() -> None:
        for subject in example.stack.services:
            example.update(subject, desiredCount=0)
        rds.stop_db_instance(**server)
        ec2.stop_instances(**instances)

    def status() -> str:
        return str(rds.describe_db_instances(**server)["DBInstances"][0]["DBInstanceStatus"])

    def resume() -> None:
        ec2.start_instances(**instances)
        rds.start_db_instance(**server)
        until(lambda: status() == "available")
        for subject in example.stack.services:
            example.update(subject, desiredCount=1)
        until(lambda: all(map(example.is_steady, example.stack.services)))

    return begin, lambda: status() == "stopped", resume


def _blue_green(example: ExampleStack) -> Day:
    """A deployment that bakes; rolling again when it is over."""
    ecs, elbv2, made = example.client("ecs"), example.client("elbv2"), list[Native]()

    def begin() -> None:
        where = {"cluster": example.stack.cluster, "services": [example.stack.tenants[AFFECTED].service]}
        service = ecs.describe_services(**where)["services"][0]
        made.append(become_native(ecs, elbv2, service, {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}))

    def end() -> None:
        become_rolling(ecs, elbv2, made[0])
        until(lambda: example.is_steady(AFFECTED))

    return begin, lambda: example.is_steady(AFFECTED), end


def _interrupted(example: ExampleStack) -> Day:
    """Spot capacity is taken back, and ECS starts another task."""
    fault = [whom("spot-taken-back", AFFECTED)]
    return partial(example.inject, fault), lambda: example.is_steady(AFFECTED), partial(example.clear, fault)


def _scaled_at_night(example: ExampleStack) -> Day:
    """Autoscaling takes what the day needed back to its minimum, by an alarm of its own."""
    scaling, watch = example.client("application-autoscaling"), example.client("cloudwatch")
    name = f"service/{example.stack.cluster}/{example.stack.tenants[AFFECTED].service}"
    target = {"ServiceNamespace": "ecs", "ResourceId": name, "ScalableDimension": "ecs:service:DesiredCount"}
    metric = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}

    def begin() -> None:
        example.update(AFFECTED, desiredCount=2)
        until(lambda: example.is_steady(AFFECTED))
        scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2)
        scaling.put_scaling_policy(
            **target,
            PolicyName="night",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": 50.0, "PredefinedMetricSpecification": metric},
        )
        low = (one["AlarmName"] for one in watch.describe_alarms()["MetricAlarms"] if "AlarmLow" in one["AlarmName"])
        watch.set_alarm_state(
            AlarmName=next(one for one in low if name in one), StateValue="ALARM", StateReason="night"
        )

    def end() -> None:
        scaling.deregister_scalable_target(**target)
        example.update(AFFECTED, desiredCount=1)

    return begin, lambda: example.wants(AFFECTED) == 1 and example.is_steady(AFFECTED), end


def _maintained(example: ExampleStack) -> Day:
    """The maintenance window changes the database server's settings: `modifying`, and nobody notices."""
    rds, server = example.client("rds"), {"DBInstanceIdentifier": example.stack.database.instance}

    def status() -> str:
        return str(rds.describe_db_instances(**server)["DBInstances"][0]["DBInstanceStatus"])

    def begin() -> None:
        rds.modify_db_instance(**server, PreferredMaintenanceWindow="mon:03:00-mon:04:00", ApplyImmediately=True)

    return begin, lambda: status() == "available", lambda: None


def _debugged(example: ExampleStack) -> Day:
    """Somebody starts a task of the tenant's beside the service, to execute commands in it, and stops it again."""
    ecs, cluster = example.client("ecs"), {"cluster": example.stack.cluster}
    service, started = example.stack.tenants[AFFECTED].service, list[str]()

    def task() -> str:
        seen = ecs.describe_tasks(**cluster, tasks=started)["tasks"]
        return next((str(one["lastStatus"]) for one in seen), "not shown yet")

    def begin() -> None:
        like = ecs.describe_services(**cluster, services=[service])["services"][0]
        made = ecs.run_task(
            **cluster,
            taskDefinition=like["taskDefinition"],
            networkConfiguration=like["networkConfiguration"],
            enableExecuteCommand=True,
            launchType="FARGATE",
        )
        started.append(made["tasks"][0]["taskArn"])

    def stop() -> None:
        ecs.stop_task(**cluster, task=started[0], reason="seen enough")

    return begin, lambda: task() == "RUNNING", stop


CALM: Mapping[str, Callable[[ExampleStack], Day]] = {
    "healthy": _healthy,
    "deploying": _deploying,
    "scaling out": _scaling,
    "scaling in": _scaling_in,
    "paused on purpose": _paused,
    "blue/green under way": _blue_green,
    "spot interruption": _interrupted,
    "autoscaling at night": _scaled_at_night,
    "maintenance window": _maintained,
    "debugged by exec": _debugged,
}


def unknown() -> frozenset[str]:
    """Faults of the catalogue that the table of causes doesn't know, and the other way round."""
    return frozenset({name for name in catalogue() if not name.startswith(ELSEWHERE)} ^ {*CAUSES, *HARMLESS})
