"""One judgement's lines: its remarks, or that it passed; what isn't known yet never passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from orchestrator.checklist.lines import of_one
from orchestrator.checklist.model import NotConcerned, NotKnown, Remark, Status, manual


def nothing() -> Iterator[Remark]:
    yield from ()


def something() -> Iterator[Remark]:
    yield manual("look", "somebody has to look")


def half_known() -> Iterator[Remark]:
    yield manual("look", "somebody has to look")
    raise NotKnown("aws_lb.this", "dns_name")


def unknown() -> Iterator[Remark]:
    raise NotKnown("aws_lb.this", "dns_name")
    yield


def of_another_application() -> Iterator[Remark]:
    raise NotConcerned("this is not Onyx")
    yield


def without_any() -> Iterator[Remark]:
    raise NotConcerned
    yield


@pytest.mark.parametrize(
    ("judge", "statuses"),
    [
        (nothing, [Status.PASSED]),
        (something, [Status.MANUAL]),
        (half_known, [Status.MANUAL, Status.UNKNOWN]),
        (unknown, [Status.UNKNOWN]),
        (of_another_application, [Status.NOT_JUDGED]),
        (without_any, []),
    ],
)
def test_the_lines_of_a_judgement(judge: Callable[[], Iterator[Remark]], statuses: list[Status]) -> None:
    lines = list(of_one(judge, "all is well", "a", "aws_ecs_service.a", planned=True))
    assert [line.status for line in lines] == statuses
    assert {line.subject for line in lines if line.status is not Status.MANUAL} <= {"a"}


@pytest.mark.parametrize(("planned", "said"), [(True, "until applied"), (False, "orchestrate doctor")])
def test_why_a_value_is_not_known(planned: bool, said: str) -> None:
    [line] = of_one(unknown, "all is well", "a", "aws_ecs_service.a", planned=planned)
    assert said in line.says
    assert line.address == "aws_lb.this"
