"""A calendar as the lines of another scheduler: cron, systemd timers, Amazon EventBridge Scheduler. Pure.

None of them knows holidays; each is told what to call, by its whole command line.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.fleet.calendar import Calendar, CalendarEntry
from orchestrator.fleet.schedules import KEEP_PAUSED_AT

Words = Callable[[CalendarEntry | None], Sequence[str]]
"""The command line of an entry; of None: the one that keeps a paused database paused."""
FORMS = ("cron", "systemd", "eventbridge")


def lines(form: str, calendar: Calendar, words: Words) -> Iterator[str]:
    """The lines, with a remark where the calendar says more than they can."""
    if calendar.holidays:
        yield "# holidays are not in here: without --print, orchestrate keeps them"
    yield from _WRITERS[form](calendar, words)


def _cron(calendar: Calendar, words: Words) -> Iterator[str]:
    for one in calendar.entries:
        yield f"CRON_TZ={one.zone}"
        yield f"{one.cron} {shlex.join(words(one))}"
    if calendar.pauses:
        yield f"{KEEP_PAUSED_AT} {shlex.join(words(None))}"


def _systemd(calendar: Calendar, words: Words) -> Iterator[str]:
    """Two units for each entry, each under the name of its file."""
    for at, one in enumerate(calendar.entries, 1):
        days = "" if one.days == "*" else f"{one.days.title().replace('-', '..')} "
        when = f"{days}*-*-* {one.hour:02}:{one.minute:02}:00 {one.zone}"
        yield from _units(f"orchestrate-{one.verb}-{at}", when, words(one))
    if calendar.pauses:
        yield from _units("orchestrate-keep-paused", f"*-*-* *:{KEEP_PAUSED_AT.split()[0]}:00", words(None))


def _units(name: str, when: str, command: Sequence[str]) -> Iterator[str]:
    yield from (f"# /etc/systemd/system/{name}.timer", "[Timer]", f"OnCalendar={when}", "Persistent=true")
    yield from ("[Install]", "WantedBy=timers.target")
    yield from (f"# /etc/systemd/system/{name}.service", "[Service]", "Type=oneshot")
    yield f"ExecStart={shlex.join(command)}"


def _eventbridge(calendar: Calendar, words: Words) -> Iterator[str]:
    """One command of the AWS CLI for each; the names in capitals are yours."""
    for at, one in enumerate(calendar.entries, 1):
        day = "* * ?" if one.days == "*" else f"? * {one.days}"
        cron = f"cron({one.minute} {one.hour} {day} *)"
        yield _creation(f"orchestrate-{one.verb}-{at}", cron, one.zone, words(one))
    if calendar.pauses:
        yield _creation("orchestrate-keep-paused", f"cron({KEEP_PAUSED_AT.split()[0]} * * * ? *)", "UTC", words(None))


def _creation(name: str, cron: str, zone: str, command: Sequence[str]) -> str:
    overrides = {"containerOverrides": [{"name": "orchestrate", "command": list(command)}]}
    target = {
        "Arn": "arn:PARTITION:ecs:REGION:ACCOUNT:cluster/CLUSTER",
        "RoleArn": "arn:PARTITION:iam::ACCOUNT:role/SCHEDULER",
        "EcsParameters": {
            "TaskDefinitionArn": "arn:PARTITION:ecs:REGION:ACCOUNT:task-definition/orchestrate",
            "LaunchType": "FARGATE",
            "NetworkConfiguration": {"awsvpcConfiguration": {"Subnets": ["SUBNET"], "AssignPublicIp": "DISABLED"}},
        },
        "Input": json.dumps(overrides),
    }
    given: Mapping[str, str] = {
        "name": name,
        "schedule-expression": cron,
        "schedule-expression-timezone": zone,
        "flexible-time-window": "Mode=OFF",
        "target": json.dumps(target),
    }
    options = (word for option, value in given.items() for word in (f"--{option}", value))
    return shlex.join(("aws", "scheduler", "create-schedule", *options))


_WRITERS: Mapping[str, Callable[[Calendar, Words], Iterator[str]]] = {
    "cron": _cron,
    "systemd": _systemd,
    "eventbridge": _eventbridge,
}
