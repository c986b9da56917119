"""What a sweep may leave out."""

from __future__ import annotations

import pytest

from tests.faults.interceptor import Injection
from tests.faults.sweep import Sweep

LATER = Injection(7, "kill-before", "ecs:DescribeServices")


@pytest.mark.parametrize(
    ("unreached", "blind"),
    [
        ([LATER, Injection(63, "broken", "record:write")], []),
        ([LATER, Injection(1, "reset", "route53:Get")], ["reset at route53:Get 1"]),
        ([LATER, Injection(3, "timeout", "sql:CREATE-DATABASE")], ["timeout at sql:CREATE-DATABASE 3"]),
        ([LATER] * 6, [str(LATER)] * 6),
    ],
    ids=["later looks", "the first look", "a change", "too many looks"],
)
def test_only_later_looks_may_be_left_out(unreached: list[Injection], blind: list[str]) -> None:
    assert Sweep(of=100, unreached=unreached).blind == blind
